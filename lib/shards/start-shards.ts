import { ShardOwner } from './shard-owner.ts';
import type { ShardState } from './shard-owner.ts';
import type { ShardsParts } from './shards-parts.ts';

export interface Shards {
  state(): readonly ShardState[];
  /** The owner of that shard, if it is here, looks at once. */
  wake(shard: number): void;
  /** All look at once. */
  wakeAll(): void;
  /** Brings what is there to Postgres, for 5 s at most, and gives up the locks. Never rejects. */
  stop(): Promise<void>;
}

const STOP_WITHIN_MS = 5_000;

/**
 * Owns every shard whose lock this process can get: moves its entries from Redis to Postgres, ends
 * lapsed holds, fills and compares counters. One connection to Postgres a shard; all gateways may run
 * it, and one of them does the work.
 */
export function startShards(parts: ShardsParts & { readonly shards: number }): Shards {
  const owners = Array.from({ length: parts.shards }, (_, shard) => new ShardOwner(parts, shard));
  return {
    state: () => owners.map((owner) => owner.state),
    wake: (shard) => {
      owners[shard]?.wake();
    },
    wakeAll: () => {
      for (const owner of owners) owner.wake();
    },
    async stop() {
      await Promise.all(owners.map((owner) => owner.stop(STOP_WITHIN_MS)));
    },
  };
}
