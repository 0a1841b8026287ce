import { setTimeout as pause } from 'node:timers/promises';
import { openRedis } from '../../lib/store/redis.ts';
import type { Redis } from '../../lib/store/redis.ts';
import type { Context } from './command.ts';
import { isRefusal, toRedisError } from './redis-error.ts';

/** A person waits: longer than this, and something is wrong. */
const CONNECT_MS = 5_000;
const COMMAND_MS = 10_000;
const POLL_MS = 20;

/**
 * Lends a connection to Redis and ends it on every path. Throws CommandError `redis_unreachable`,
 * `redis_refused`, `redis_error`, and whatever the act throws.
 */
export async function withRedis<T>(
  context: Pick<Context<'redisUrl'>, 'settings' | 'clock'>,
  act: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = openRedis({
    url: context.settings.redisUrl,
    connectionName: 'nzgw',
    commandTimeoutMs: COMMAND_MS,
  });
  let fault: unknown = new Error('Connection is closed.');
  redis.on('error', (error: Error & { readonly lastNodeError?: Error }) => {
    // Of a cluster none of whose nodes answers, what the last of them said.
    fault = error.lastNodeError ?? error;
  });
  const endMs = context.clock.monotonicMs() + CONNECT_MS;
  try {
    while (!(await answers(redis))) {
      if (isRefusal(fault) || context.clock.monotonicMs() >= endMs) throw fault;
      await pause(POLL_MS);
    }
    return await act(redis);
  } catch (error) {
    throw toRedisError(error);
  } finally {
    redis.disconnect();
  }
}

/** A cluster is ready a moment before the connections to its nodes are. */
async function answers(redis: Redis): Promise<boolean> {
  if (redis.status !== 'ready') return false;
  return redis.time().then(
    () => true,
    () => false,
  );
}
