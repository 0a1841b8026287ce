import { isConnected, onConnection } from '../store/redis-connection.ts';
import type { Redis } from '../store/redis.ts';

/**
 * Resolves once the connection stands, of a cluster those to all masters, or after `withinMs`: the
 * first requests must not be refused because it is still being made, and a Redis that is away must not
 * keep a worker from saying so.
 */
export function waitForRedis(
  redis: Pick<Redis, 'status' | 'on' | 'off'>,
  withinMs: number,
): Promise<void> {
  if (isConnected(redis)) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, withinMs);
    const endTelling = onConnection(redis, () => {
      if (isConnected(redis)) done();
    });
    function done(): void {
      clearTimeout(timer);
      endTelling();
      resolve();
    }
  });
}
