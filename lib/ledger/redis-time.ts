import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import { readTimeMs } from './read-time.ts';

/**
 * What this process believes Redis's clock to be: the offset of the last reply of this connection
 * against the monotonic clock. It is behind by at most that reply's way back, never ahead, so that
 * a deadline made from it errs towards refusing.
 */
export interface RedisTime {
  /** Milliseconds since 1970, or null while this connection has not heard from Redis. */
  estimateMs(): number | null;
  /** The same, asking Redis first if nothing is known. Rejects as the connection does. */
  knowMs(): Promise<number>;
  /** Takes the time that a reply just told. */
  learn(redisNowMs: number): void;
}

export function makeRedisTime(redis: Redis, clock: Clock): RedisTime {
  let offsetMs: number | null = null;
  let asking: Promise<void> | null = null;

  // Another connection may lead to another Redis, whose clock is another.
  redis.on('close', () => {
    offsetMs = null;
  });

  const learn = (redisNowMs: number): void => {
    offsetMs = redisNowMs - clock.monotonicMs();
  };
  const ask = async (): Promise<void> => {
    learn(await readTimeMs(redis));
  };
  const estimateMs = (): number | null =>
    offsetMs === null ? null : Math.floor(clock.monotonicMs() + offsetMs);

  return {
    learn,
    estimateMs,
    async knowMs() {
      const known = estimateMs();
      if (known !== null) return known;
      asking ??= ask().finally(() => {
        asking = null;
      });
      await asking;
      return estimateMs() ?? Promise.reject(new Error('the connection ended'));
    },
  };
}
