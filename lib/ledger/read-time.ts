import type { Redis } from '../store/redis.ts';

/** Redis's clock, milliseconds since 1970. Rejects as the connection does. */
export async function readTimeMs(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
}
