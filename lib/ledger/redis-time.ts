import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import { readTimeMs } from './read-time.ts';

/**
 * What this process believes Redis's clock to be: the offset of the last reply of this connection
 * against the monotonic clock. It is behind by at most that reply's way back, never ahead, so that
 * a deadline made from it errs towards refusing.
 */
interface RedisTime {
  /** Milliseconds since 1970, or null while this connection has not heard from Redis. */
  estimateMs(): number | null;
  /** Asks Redis, for all who want to know at once. Rejects as the connection does. */
  askMs(): Promise<number>;
  /** Takes the time that a reply just told. */
  learn(redisNowMs: number): void;
}

export function makeRedisTime(redis: Redis, clock: Clock): RedisTime {
  let offsetMs: number | null = null;
  let asking: Promise<number> | null = null;

  // Another connection may lead to another Redis, whose clock is another.
  redis.on('close', () => {
    offsetMs = null;
  });

  const learn = (redisNowMs: number): void => {
    offsetMs = redisNowMs - clock.monotonicMs();
  };
  const ask = async (): Promise<number> => {
    const nowMs = await readTimeMs(redis);
    learn(nowMs);
    return nowMs;
  };
  const estimateMs = (): number | null =>
    offsetMs === null ? null : Math.floor(clock.monotonicMs() + offsetMs);

  return {
    learn,
    estimateMs,
    askMs() {
      asking ??= ask().finally(() => {
        asking = null;
      });
      return asking;
    },
  };
}
