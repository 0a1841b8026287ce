import { readShards } from '../../lib/store/schema-guard.ts';
import type { Redis } from '../../lib/store/redis.ts';
import type { Queries } from '../../lib/tenants/queries.ts';
import type { Context } from './command.ts';
import { withDatabase } from './database.ts';
import type { DatabaseOptions } from './database.ts';
import { withRedis } from './redis.ts';

export interface Stores {
  readonly queries: Queries;
  readonly redis: Redis;
  /** How many Redis has, as fixed at `nzgw migrate`. */
  readonly shards: number;
}

/** Lends both stores and ends them on every path. Throws as `withDatabase` and `withRedis` do. */
export function withStores<T>(
  context: Context<'databaseUrl' | 'redisUrl'>,
  act: (stores: Stores) => Promise<T>,
  options?: DatabaseOptions,
): Promise<T> {
  return withDatabase(
    context,
    async (queries, connection) => {
      const shards = await readShards(connection);
      return withRedis(context, (redis) => act({ queries, redis, shards }));
    },
    options,
  );
}
