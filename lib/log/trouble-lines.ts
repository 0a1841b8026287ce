import type { Clock } from '../time/clock.ts';
import { describeError } from './logger.ts';
import type { Logger } from './logger.ts';

/** The words for something that is tried again and again. */
export interface TroubleWords {
  readonly lostEvent: string;
  readonly lost: string;
  readonly backEvent: string;
  readonly back: string;
}

export interface TroubleLines {
  /** `why`: other words, where more is known. */
  readonly failed: (error: unknown, why?: string) => void;
  readonly works: () => void;
}

const REMIND_MS = 60_000;
/** So many a minute, of what comes and goes all the time. */
const MOST_CHANGES = 10;

/**
 * A line when it begins to fail, when it fails in another way, and when it works again; while it stays
 * as it is one a minute, which tells how many failures went `unsaid` before it. However often it
 * changes, the lines are few.
 */
export function makeTroubleLines(clock: Clock, log: Logger, words: TroubleWords): TroubleLines {
  let kind: string | undefined;
  let saidAtMs = -Infinity;
  let unsaid = 0;
  let changes = 0;
  let changesFromMs = -Infinity;

  function mayTellChange(nowMs: number): boolean {
    if (nowMs - changesFromMs >= REMIND_MS) {
      changesFromMs = nowMs;
      changes = 0;
    }
    changes += 1;
    return changes <= MOST_CHANGES;
  }

  return {
    failed(error, why = words.lost) {
      const fields = describeError(error);
      const next = `${String(fields['error.type'])} ${String(fields['error.code'])}`;
      const nowMs = clock.monotonicMs();
      const isDue = nowMs - saidAtMs >= REMIND_MS;
      if (!isDue && !(next !== kind && mayTellChange(nowMs))) {
        unsaid += 1;
        return;
      }
      log.warn({ event: words.lostEvent, unsaid, ...fields }, why);
      kind = next;
      saidAtMs = nowMs;
      unsaid = 0;
    },
    works() {
      if (kind === undefined) return;
      kind = undefined;
      log.info({ event: words.backEvent }, words.back);
    },
  };
}
