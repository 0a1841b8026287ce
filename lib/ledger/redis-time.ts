import type { Clock } from '../time/clock.ts';

/**
 * What this process believes the clock of a shard's Redis to be: the offset of its last reply
 * against the monotonic clock. It is behind by at most that reply's way back, never ahead, so that
 * a deadline made from it errs towards refusing.
 */
export interface RedisTime {
  /** Milliseconds since 1970, or null while this connection has not heard from that shard. */
  estimateMs(shard: number): number | null;
  /** Takes the time that a reply of that shard just told. */
  learn(shard: number, redisNowMs: number): void;
  /** Another connection may lead to another Redis, whose clock is another. */
  forget(): void;
}

export function makeRedisTime(clock: Clock): RedisTime {
  const offsetsMs = new Map<number, number>();
  return {
    estimateMs(shard) {
      const offsetMs = offsetsMs.get(shard);
      return offsetMs === undefined ? null : Math.floor(clock.monotonicMs() + offsetMs);
    },
    learn(shard, redisNowMs) {
      offsetsMs.set(shard, redisNowMs - clock.monotonicMs());
    },
    forget() {
      offsetsMs.clear();
    },
  };
}
