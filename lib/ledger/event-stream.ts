import type { Redis } from '../store/redis.ts';
import { KEYS } from './keys.ts';

/** One entry of a shard's stream, not read yet. */
export interface StreamEvent {
  /** Redis's own id of it, by which it is removed. */
  readonly streamId: string;
  /** The JSON of the entry; empty if the event is of no shape of ours. */
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
      return events.map(([streamId, fields]) => ({ streamId, text: readText(fields) }));
    },
    async remove(streamIds) {
      if (streamIds.length > 0) await redis.xdel(key, ...streamIds);
    },
    length: () => redis.xlen(key),
  };
}

function readText([name, text = '']: readonly string[]): string {
  return name === 'entry' ? text : '';
}
