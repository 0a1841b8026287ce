import type { Readable } from 'node:stream';
import type { Clock } from '../../lib/time/clock.ts';
import { makePause } from '../../lib/time/pause.ts';
import { toAdminUrl } from '../admin/ask-admin.ts';
import type { AdminPlace } from '../admin/ask-admin.ts';
import type { Terminal } from '../program/output.ts';
import { toPrintable } from '../program/table.ts';
import { toCommandError } from '../program/to-command-error.ts';
import { toFigures } from './figures.ts';
import { renderFrame } from './frame.ts';
import { readScrape } from './read-scrape.ts';
import type { Scrape } from './read-scrape.ts';

export type Keyboard = Readable & {
  readonly isTTY?: boolean;
  readonly isRaw?: boolean;
  setRawMode?(raw: boolean): unknown;
};

interface LiveParts {
  readonly place: AdminPlace;
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly keyboard: Keyboard;
}

const EVERY_MS = 1_000;
/** Workers report once a second: over so many seconds a rate stands still. */
const WINDOW = 6;
/** The other screen, so that what stood there comes back, and no cursor. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const REST_OF_LINE = '\x1b[K';
const REST_OF_SCREEN = '\x1b[J';
/** In raw mode Ctrl-C is a key like any other. */
const QUIT = ['q', 'Q', '\x03'];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Draws a frame every second until q, Ctrl-C or a signal, and leaves the terminal as it was. Throws
 * as `readScrape` does where there is no gateway to begin with; one that goes away later may come
 * back.
 */
export async function watchLive(parts: LiveParts): Promise<void> {
  const { place, terminal } = parts;
  const scrapes: Scrape[] = [await readScrape(place)];
  const stop = new AbortController();
  const isStopped = (): boolean => stop.signal.aborted;
  const pause = makePause();
  const release = holdTerminal(parts, () => {
    stop.abort();
    pause.wake();
  });
  let fault: string | undefined;
  try {
    while (!isStopped()) {
      draw(terminal, toLines(parts, scrapes, fault));
      await pause.wait(EVERY_MS);
      if (isStopped()) return;
      fault = await readScrape(place, stop.signal).then(
        (scrape) => {
          scrapes.push(scrape);
          if (scrapes.length > WINDOW) scrapes.shift();
          return undefined;
        },
        (error: unknown) => toCommandError(error).message,
      );
    }
  } finally {
    release();
  }
}

/** The frame of the newest; above it, why there is none that is newer. */
function toLines(
  { place, clock }: LiveParts,
  scrapes: readonly Scrape[],
  fault: string | undefined,
): readonly string[] {
  const before = scrapes[0];
  const after = scrapes.at(-1);
  if (!before || !after) return [];
  const where = { url: toAdminUrl(place), wallMs: clock.wallMs() };
  const lines = renderFrame(toFigures({ before, after }, where));
  if (fault === undefined) return lines;
  const oldSeconds = Math.round((clock.monotonicMs() - after.atMs) / 1_000);
  return [`${oldSeconds} s OLD: ${fault}`, ...lines];
}

/** Takes keys and the screen; gives back both, once, whatever the process ends by. */
function holdTerminal({ terminal, keyboard }: LiveParts, onQuit: () => void): () => void {
  const wasRaw = keyboard.isRaw === true;
  const onKey = (chunk: Buffer | string): void => {
    const keys = chunk.toString();
    if (QUIT.some((key) => keys.includes(key))) onQuit();
  };
  const setRaw = (raw: boolean): void => {
    if (keyboard.isTTY === true) keyboard.setRawMode?.(raw);
  };
  let isHeld = true;
  const release = (): void => {
    if (!isHeld) return;
    isHeld = false;
    process.off('exit', release);
    for (const signal of SIGNALS) process.off(signal, onQuit);
    keyboard.off('data', onKey);
    keyboard.pause();
    setRaw(wasRaw);
    terminal.write(LEAVE);
  };
  process.once('exit', release);
  for (const signal of SIGNALS) process.on(signal, onQuit);
  setRaw(true);
  keyboard.on('data', onKey);
  terminal.write(ENTER);
  return release;
}

/** Over what stood there, without a flicker; what has no room is cut off. */
function draw({ columns, rows, write }: Terminal, lines: readonly string[]): void {
  const shown = lines.slice(0, Math.max(1, rows - 1));
  const text = shown.map((line) => `${toPrintable(line).slice(0, columns)}${REST_OF_LINE}`);
  write(`${HOME}${text.join('\r\n')}\r\n${REST_OF_SCREEN}`);
}
