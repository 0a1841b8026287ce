import type { ShardLedger } from '../ledger/shard-ledger.ts';
import { within } from '../ledger/within.ts';
import type { Logger } from '../log/logger.ts';
import { inTime } from '../time/in-time.ts';
import { makePause } from '../time/pause.ts';
import type { Pause } from '../time/pause.ts';
import type { ShardCounts } from './counts.ts';

interface ExitsParts {
  readonly ledgers: readonly Pick<ShardLedger, 'reapExit'>[];
  readonly counts: Pick<ShardCounts, 'reaped'>;
  readonly log: Logger;
}

/** Holds of workers that were seen to exit (LEDGER §3): ended by whoever saw it, owner or not. */
export interface Exits {
  note(incarnation: string): void;
  /** Ends what is still to be ended, for `withinMs` at most. Never rejects. */
  stop(withinMs: number): Promise<void>;
}

const BATCH = 100;
const ANSWER_WITHIN_MS = 2_000;
const RETRY_MS = 500;
/**
 * What a worker had sent may still reach Redis after its end. No admission is carried out this late:
 * its deadline is over.
 */
const AGAIN_AFTER_MS = 5_000;
/** More are left to lapse. */
const MOST = 1_000;

export function startExits(parts: ExitsParts): Exits {
  const running = new Map<Pause, Promise<void>>();
  let stopping = false;
  let over = false;
  const isOver = (): boolean => over;

  async function endOnShard(ledger: ExitsParts['ledgers'][number], inc: string): Promise<void> {
    for (let reaped = BATCH; reaped === BATCH && !isOver();) {
      reaped = await within(ANSWER_WITHIN_MS, ledger.reapExit(inc, BATCH));
      parts.counts.reaped('exited', reaped);
    }
  }

  /** Until every shard has acknowledged. */
  async function endEverywhere(incarnation: string, pause: Pause): Promise<void> {
    let left = parts.ledgers;
    while (left.length > 0 && !isOver()) {
      const results = await Promise.allSettled(
        left.map((ledger) => endOnShard(ledger, incarnation)),
      );
      left = left.filter((_, n) => results[n]?.status === 'rejected');
      if (left.length > 0 && !isOver()) await pause.wait(RETRY_MS);
    }
  }

  async function end(incarnation: string, pause: Pause): Promise<void> {
    await endEverywhere(incarnation, pause);
    if (stopping) return;
    await pause.wait(AGAIN_AFTER_MS);
    await endEverywhere(incarnation, pause);
  }

  return {
    note(incarnation) {
      if (running.size >= MOST) {
        parts.log.warn({ event: 'exits_full' }, 'holds of a worker that ended are left to lapse');
        return;
      }
      const pause = makePause();
      const ended = end(incarnation, pause).finally(() => running.delete(pause));
      running.set(pause, ended);
    },
    async stop(withinMs) {
      stopping = true;
      for (const pause of running.keys()) pause.wake();
      await inTime<unknown>(withinMs, Promise.all(running.values()), () => undefined);
      over = true;
      for (const pause of running.keys()) pause.wake();
    },
  };
}
