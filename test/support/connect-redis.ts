import { isConnected } from '../../lib/store/redis-connection.ts';
import { openRedis } from '../../lib/store/redis.ts';
import type { Redis } from '../../lib/store/redis.ts';
import { until } from './until.ts';

/** A connection that is ready, with the product's own options. Close it with `disconnect()`. */
export async function connectRedis(url: string | readonly string[]): Promise<Redis> {
  const redis = openRedis({ url: listAddresses(url), connectionName: 'test', ...TIMEOUT });
  try {
    await untilConnected(redis);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return redis;
}

const TIMEOUT = { commandTimeoutMs: 5_000 };

/** The addresses of one URL as REDIS_URL has it: the nodes of a cluster are separated by commas. */
export function listAddresses(url: string | readonly string[]): readonly string[] {
  return typeof url === 'string' ? url.split(',') : url;
}

/** Waits until Redis answers on this connection: of a cluster, every master. */
export async function untilConnected(redis: Redis): Promise<void> {
  await until(() => isConnected(redis), { withinMs: 5_000, what: 'redis to be connected' });
}
