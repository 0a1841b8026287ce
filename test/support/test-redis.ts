import { connectRedis } from './connect-redis.ts';
import { flushAll } from './every-node.ts';
import { startOneRedis } from './one-redis.ts';
import type { OwnRedis, OwnRedisOptions } from './one-redis.ts';
import { startRedisCluster } from './redis-cluster.ts';
import { readTopology } from './redis-topology.ts';
import { stopAtEnd } from './stop-at-end.ts';

export interface TestRedis {
  /** As REDIS_URL has it: the nodes of a cluster are separated by commas. */
  readonly url: string;
  /** Empties it, functions and scripts apart. */
  flush(): Promise<void>;
}

let shared: Promise<TestRedis> | undefined;

/** The Redis that all tests of the process share; nothing is kept on disk. */
export function startTestRedis(): Promise<TestRedis> {
  shared ??= startShared();
  return shared;
}

/** Starts a private Redis as REDIS_TOPOLOGY says: one server, or a cluster, which is always on TCP. */
export function startOwnRedis(options: OwnRedisOptions = {}): Promise<OwnRedis> {
  return readTopology() === 'cluster' ? startRedisCluster(options) : startOneRedis(options);
}

async function startShared(): Promise<TestRedis> {
  const redis = await startOwnRedis({ appendOnly: false });
  const client = await connectRedis(redis.url);
  stopAtEnd(async () => {
    shared = undefined;
    client.disconnect();
    await redis.remove();
  });
  return {
    url: redis.url,
    flush: () => flushAll(client),
  };
}
