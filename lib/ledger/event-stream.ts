import type { Redis } from '../store/redis.ts';
import type { Entry } from './entry.ts';
import { decodeEvent } from './event-codec.ts';
import { KEYS } from './keys.ts';

/** One event of a shard's stream. */
export interface StreamEvent {
  /** Redis's own id of it, by which it is removed. */
  readonly streamId: string;
  /** Null for what is no entry of ours. */
  readonly entry: Entry | null;
  /** The event's fields as JSON, for a person to look at. */
  readonly text: string;
}

/** The stream of one shard as its owner sees it. Every call rejects as the connection does. */
export interface EventStream {
  /** The oldest events, at most `count`. */
  read(count: number): Promise<readonly StreamEvent[]>;
  /** Removes what is safe elsewhere. */
  remove(streamIds: readonly string[]): Promise<void>;
  length(): Promise<number>;
}

export function openEventStream(redis: Redis, shard: number): EventStream {
  const key = KEYS.events(shard);
  return {
    async read(count) {
      const events = await redis.xrange(key, '-', '+', 'COUNT', count);
      return events.map(([streamId, fields]) => ({
        streamId,
        entry: decodeEvent(fields),
        text: JSON.stringify(fields),
      }));
    },
    async remove(streamIds) {
      if (streamIds.length > 0) await redis.xdel(key, ...streamIds);
    },
    length: () => redis.xlen(key),
  };
}
