import { openEventStream } from '../ledger/event-stream.ts';
import type { Logger } from '../log/logger.ts';
import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import { ShardDrain } from './shard-drain.ts';
import type { ShardState } from './shard-drain.ts';

interface DrainParts {
  readonly databaseUrl: string;
  readonly redis: Redis;
  /** As fixed at `nzgw migrate`. */
  readonly shards: number;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Drain {
  /** Brings what is there to Postgres, for 5 s at most, and gives up the locks. Never rejects. */
  stop(): Promise<void>;
  state(): readonly ShardState[];
}

const STOP_WITHIN_MS = 5_000;

/**
 * Moves audit entries from Redis to Postgres, for every shard whose lock this process can get. One
 * connection to Postgres a shard; all gateways may run it, and one of them does the work.
 */
export function startDrain(parts: DrainParts): Drain {
  const { redis, shards, ...rest } = parts;
  const drains = Array.from(
    { length: shards },
    (_, shard) => new ShardDrain({ ...rest, shard, stream: openEventStream(redis, shard) }),
  );
  return {
    async stop() {
      await Promise.all(drains.map((drain) => drain.stop(STOP_WITHIN_MS)));
    },
    state: () => drains.map((drain) => drain.state),
  };
}
