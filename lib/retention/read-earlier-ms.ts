import { readTimeMs } from '../ledger/read-time.ts';
import { within } from '../ledger/within.ts';
import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';

const ANSWER_WITHIN_MS = 2_000;

/**
 * The earlier of this host's clock and Redis's, milliseconds since 1970. Redis's dates the rows: where it
 * is days behind, what is admitted now lies on a day that looks old. Rejects as the connection does, and
 * after two seconds.
 */
export async function readEarlierMs(redis: Redis, clock: Pick<Clock, 'wallMs'>): Promise<number> {
  const redisMs = await within(ANSWER_WITHIN_MS, readTimeMs(redis));
  return Math.min(clock.wallMs(), redisMs);
}
