import { setTimeout as pause } from 'node:timers/promises';
import { toAdminUrl } from '../admin/ask-admin.ts';
import { readReadiness } from '../admin/read-readiness.ts';
import type { Readiness } from '../admin/read-readiness.ts';
import { CommandError } from '../program/command-error.ts';
import { defineCommand } from '../program/command.ts';
import type { Context } from '../program/command.ts';
import { EXIT } from '../program/exit-code.ts';
import { renderTable } from '../program/table.ts';
import { wholeNumber } from '../values/count.ts';
import { readOptions } from '../values/value.ts';

const ANSWER_WITHIN_MS = 2_000;
const POLL_MS = 200;
const MOST_SECONDS = 86_400;

type Needs = 'adminHost' | 'adminPort';

export const status = defineCommand({
  name: 'status',
  summary: 'Tells whether the gateway of this host is ready; exit 8 if not, 6 if there is none.',
  positionals: [],
  options: [
    {
      name: 'wait',
      placeholder: 'SECONDS',
      bareValue: '60',
      meaning: 'Wait until it is ready, at most so long; 60 where no number is given.',
    },
  ],
  examples: ['nzgw status', 'nzgw status --wait', 'nzgw status --wait=120 --json'],
  needs: ['adminHost', 'adminPort'],
  async run(context) {
    const { wait } = readOptions(
      { wait: wholeNumber(1, MOST_SECONDS).optional() },
      context.options,
    );
    const readiness = await look(context, (wait ?? 0) * 1_000);
    const { ready, checks } = readiness;
    const url = toAdminUrl(context.settings);
    context.output.answer({ ready, url, checks }, () => render(readiness, url));
    if (!ready) context.output.note('Next: nzgw doctor');
    return ready ? EXIT.done : EXIT.checkFailed;
  },
});

/** The last answer is the one that counts; a gateway that is still being started may not listen. */
async function look(context: Context<Needs>, waitMs: number): Promise<Readiness> {
  const { settings, clock } = context;
  const endMs = clock.monotonicMs() + waitMs;
  for (;;) {
    const leftMs = endMs - clock.monotonicMs();
    const isLast = leftMs <= 0;
    const withinMs = isLast ? ANSWER_WITHIN_MS : Math.min(ANSWER_WITHIN_MS, Math.ceil(leftMs));
    const answer = await readReadiness(settings, withinMs).catch((error: unknown) => {
      if (isLast || !isUnreachable(error)) throw error;
      return undefined;
    });
    if (answer && (isLast || answer.ready)) return answer;
    await pause(Math.min(POLL_MS, Math.max(0, endMs - clock.monotonicMs())));
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof CommandError && error.exitCode === EXIT.unreachable;
}

function render({ ready, checks }: Readiness, url: string): readonly string[] {
  const head = `${ready ? 'ready' : 'not ready'}: ${url}`;
  if (checks.length === 0) return [`${head} waits for Postgres and Redis`];
  const rows = checks.map((check) => [check.name, check.status, check.ms.toFixed(1)]);
  return [head, '', ...renderTable(['check', 'status', 'ms'], rows)];
}
