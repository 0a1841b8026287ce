import type { Clock } from '../time/clock.ts';

/** Says whether one more line may be written, and how many were not since the last that was. */
export interface LineLimit {
  /** Undefined: write nothing. A number: write, and say that so many went unsaid before it. */
  take(): number | undefined;
}

/** At most so many lines a second, so that a flood of strangers cannot fill a disk. */
export function makeLineLimit(clock: Clock, linesPerSecond: number): LineLimit {
  let second = 0;
  let written = 0;
  let unsaid = 0;

  return {
    take() {
      const now = Math.floor(clock.monotonicMs() / 1_000);
      if (now !== second) {
        second = now;
        written = 0;
      }
      if (written >= linesPerSecond) {
        unsaid += 1;
        return undefined;
      }
      written += 1;
      const before = unsaid;
      unsaid = 0;
      return before;
    },
  };
}
