import type { Redis } from './redis.ts';

/** This Redis must not hold what the gateway decides by; the text says why and can be shown. */
export class UnfitRedisError extends Error {
  override readonly name = 'UnfitRedisError';
}

const OLDEST_MAJOR = 7;

/**
 * Refuses a Redis that is too old, that may throw keys away, or that forgets at a restart (SPEC §5).
 * INFO tells all three, also where a host of Redis forbids CONFIG.
 *
 * @throws UnfitRedisError; anything else means that Redis could not be asked
 */
export async function checkRedis(
  redis: Pick<Redis, 'info'>,
  options: { readonly allowVolatile: boolean },
): Promise<void> {
  const info = readInfo(await redis.info());

  const version = info.get('redis_version') ?? 'unknown';
  if (!(Number.parseInt(version, 10) >= OLDEST_MAJOR)) {
    throw new UnfitRedisError(
      `Redis is of version ${version}; ${OLDEST_MAJOR}.0 or newer is needed`,
    );
  }

  const policy = info.get('maxmemory_policy') ?? 'unknown';
  if (policy !== 'noeviction') {
    throw new UnfitRedisError(`Redis has maxmemory-policy ${policy}; it must be noeviction`);
  }

  if (info.get('aof_enabled') !== '1' && !options.allowVolatile) {
    throw new UnfitRedisError(
      'Redis runs without AOF (appendonly no) and would forget running requests at a restart; ' +
        'NZGW_ALLOW_VOLATILE_REDIS=true accepts that',
    );
  }
}

function readInfo(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(/\r?\n/).map((line) => line.split(':'));
  return new Map(pairs.map(([name = '', ...value]) => [name, value.join(':')]));
}
