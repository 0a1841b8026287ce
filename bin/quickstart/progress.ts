import { systemClock } from '../../lib/time/clock.ts';

/** Lines for people on stderr, one a step. */
export interface Progress {
  /** Runs a step and tells in one line what came of it and how long it took. */
  step<T>(work: () => Promise<T>, describe: (result: T) => string): Promise<T>;
  /** Something to know, without a time. */
  note(text: string): void;
  line(text: string): void;
}

export function openProgress(write: (line: string) => void): Progress {
  return {
    step: async (work, describe) => {
      const startedMs = systemClock.monotonicMs();
      const result = await work();
      const seconds = ((systemClock.monotonicMs() - startedMs) / 1_000).toFixed(1);
      write(` ✓ ${describe(result).padEnd(56)} ${seconds} s`);
      return result;
    },
    note: (text) => {
      write(` ! ${text}`);
    },
    line: write,
  };
}
