import { setTimeout as pause } from 'node:timers/promises';
import { toAdminUrl } from '../admin/ask-admin.ts';
import { usageError } from '../program/command-error.ts';
import { defineCommand } from '../program/command.ts';
import type { Context } from '../program/command.ts';
import { EXIT } from '../program/exit-code.ts';
import { toFigures } from '../top/figures.ts';
import type { Figures } from '../top/figures.ts';
import { renderFrame } from '../top/frame.ts';
import { watchLive } from '../top/live.ts';
import { readScrape } from '../top/read-scrape.ts';

/** Workers report once a second: over two of them every rate has something to tell. */
const INTERVAL_MS = 2_000;

type Needs = 'adminHost' | 'adminPort';

export const top = defineCommand({
  name: 'top',
  summary: 'Shows live what the gateway of this host does; q ends it.',
  positionals: [],
  options: [{ name: 'once', meaning: 'One frame as plain text, its rates over two seconds.' }],
  examples: ['nzgw top', 'nzgw top --once', 'nzgw top --json'],
  needs: ['adminHost', 'adminPort'],
  async run(context) {
    const { output, options } = context;
    if (output.json || options['once'] === true) {
      const figures = await measure(context);
      output.answer(figures, () => renderFrame(figures));
      return EXIT.done;
    }
    const { terminal } = output;
    if (!terminal || context.environment['TERM'] === 'dumb') {
      throw usageError('top draws on a terminal, and stdout is none', 'nzgw top --once');
    }
    const { settings: place, clock, stdin: keyboard } = context;
    await watchLive({ place, clock, terminal, keyboard });
    return EXIT.done;
  },
});

async function measure({ settings, clock }: Context<Needs>): Promise<Figures> {
  const before = await readScrape(settings);
  await pause(INTERVAL_MS);
  const after = await readScrape(settings);
  return toFigures({ before, after }, { url: toAdminUrl(settings), wallMs: clock.wallMs() });
}
