import type { Check } from '../doctor/check.ts';
import { defineCommand } from '../program/command.ts';
import { EXIT } from '../program/exit-code.ts';
import { renderTable } from '../program/table.ts';

interface DoctorDocument {
  /** No check failed. */
  readonly ok: boolean;
  readonly passed: number;
  readonly warned: number;
  readonly failed: number;
  readonly checks: readonly Check[];
}

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Looks at all that the gateway needs and says what is wrong; exit 8 if anything is.',
  positionals: [],
  options: [],
  examples: ['nzgw doctor', 'nzgw doctor --json', 'nzgw doctor --env-file /etc/nzgw/env'],
  needs: [],
  async run({ environment, clock, output }) {
    // Only here: it needs nearly everything, and would slow down every other command's start.
    const { examineAll } = await import('../doctor/examine-all.ts');
    const document = toDocument(await examineAll(environment, clock));
    output.answer(document, () => render(document));
    for (const { name, status, about, seen } of document.checks) {
      if (name === 'upstream-port' && status === 'warn') output.warn(`! ${about ?? name}: ${seen}`);
    }
    return document.ok ? EXIT.done : EXIT.checkFailed;
  },
});

function toDocument(checks: readonly Check[]): DoctorDocument {
  const count = (status: Check['status']): number =>
    checks.filter((check) => check.status === status).length;
  const failed = count('fail');
  return { ok: failed === 0, passed: count('pass'), warned: count('warn'), failed, checks };
}

function render({ checks, passed, warned, failed }: DoctorDocument): readonly string[] {
  return [
    ...renderTable(['status', 'check', 'seen'], checks.flatMap(toRows)),
    '',
    `${passed} passed, ${warned} warned, ${failed} failed`,
  ];
}

/** One row a fault, and one for what to do. */
function toRows({ name, about, status, seen, hint }: Check): readonly (readonly string[])[] {
  const [first = '', ...further] = seen.split('; ');
  return [
    [status, name, about === null ? first : `${about}: ${first}`],
    ...further.map((text) => ['', '', text]),
    ...(hint === null ? [] : [['', '', `-> ${hint}`]]),
  ];
}
