import type { Settings } from '../config/settings.ts';
import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import { readEarlierMs } from '../retention/read-earlier-ms.ts';
import { startSweeper } from '../retention/sweep-loop.ts';
import type { Sweeper } from '../retention/sweep-loop.ts';
import type { Shards } from '../shards/start-shards.ts';
import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import { openDutyClient } from './duty-client.ts';

const EVERY_MS = 5 * 60_000;
const SOON_MS = 5_000;
/** An entry that waits for so long may be of a day that is due. */
const LATE_MS = 60_000;

export interface SweepDutyParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly redis: Redis;
}

/**
 * Sweeps once a day, by whichever host comes first, and tells of it. Nothing is swept while a shard
 * does not admit or has entries that wait, whoever owns it: what Redis or a worker still has of an old
 * day is to reach Postgres first.
 */
export function startSweeping(
  { settings, clock, log, redis }: SweepDutyParts,
  shards: Pick<Shards, 'state'>,
): Sweeper {
  return startSweeper({
    clock,
    readWallMs: () => readEarlierMs(redis, clock),
    makeClient: () => openDutyClient(settings, 'nzgw sweeper'),
    everyMs: EVERY_MS,
    soonMs: SOON_MS,
    maySweep: () => {
      const lateMs = clock.monotonicMs() - LATE_MS;
      return shards
        .state()
        .every(({ ready, oldestAtMs }) => ready && (oldestAtMs ?? lateMs) >= lateMs);
    },
    onSwept: (swept, ms) => {
      const fields = {
        event: 'swept',
        day: swept.today,
        finished: swept.finished,
        audit_rows: swept.auditRows,
        prompts: swept.prompts,
        days_dropped: swept.dropped.length,
        days_made: swept.made.length,
        days_postponed: swept.postponed.length,
        days_refused: swept.refused.length,
        first_refused: swept.refused[0] ?? null,
        ms: Math.round(ms),
      };
      log.info(fields, 'what is beyond its retention was deleted');
    },
    onTrouble: (error) => {
      log.warn({ event: 'sweep_failed', ...describeError(error) }, 'old rows stay for now');
    },
  });
}
