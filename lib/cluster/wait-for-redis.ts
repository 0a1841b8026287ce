import type { Redis } from '../store/redis.ts';

/**
 * Resolves once the connection stands, or after `withinMs`: the first requests must not be refused
 * because it is still being made, and a Redis that is away must not keep a worker from saying so.
 */
export function waitForRedis(
  redis: Pick<Redis, 'status' | 'once' | 'off'>,
  withinMs: number,
): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, withinMs);
    redis.once('ready', done);
    function done(): void {
      clearTimeout(timer);
      redis.off('ready', done);
      resolve();
    }
  });
}
