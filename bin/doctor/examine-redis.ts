import type { Environment } from '../../lib/config/read-sources.ts';
import { readTimeMs } from '../../lib/ledger/read-time.ts';
import { checkRedis, UnfitRedisError } from '../../lib/store/redis-check.ts';
import type { Redis } from '../../lib/store/redis.ts';
import type { Clock } from '../../lib/time/clock.ts';
import { toRedisError } from '../program/redis-error.ts';
import { withRedis } from '../program/redis.ts';
import { fail, pass, warn } from './check.ts';
import type { Check, Finding } from './check.ts';
import { lookAtClock } from './clock-offset.ts';
import { examineWith } from './examine-with.ts';
import { loadSome } from './some-settings.ts';

/** Fitness and clock of the Redis, or of the Redis Cluster, of REDIS_URL. */
export function examineRedis(environment: Environment, clock: Clock): Promise<readonly Check[]> {
  return examineWith<Redis>(
    {
      lend: async (act) => {
        await withRedis({ settings: loadSome(environment, ['redisUrl']), clock }, act);
      },
      translate: toRedisError,
    },
    {
      redis: (redis) => lookAtRedis(redis, environment, clock),
      'clock-redis': (redis) => lookAtClock(clock, 'Redis', () => readTimeMs(redis)),
    },
  );
}

async function lookAtRedis(redis: Redis, environment: Environment, clock: Clock): Promise<Finding> {
  const { allowVolatileRedis } = loadSome(environment, ['allowVolatileRedis']);
  const unfit = await findFault(redis, true);
  if (unfit !== undefined) return fail(unfit, toHint(unfit));
  const startedMs = clock.monotonicMs();
  const info = await redis.info('server');
  const tookMs = clock.monotonicMs() - startedMs;
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? '?';
  const seen = `${version}, answers in ${tookMs.toFixed(1)} ms, noeviction`;
  const volatile = await findFault(redis, false);
  if (volatile === undefined) return pass(`${seen}, AOF`);
  if (!allowVolatileRedis) return fail(volatile, toHint(volatile));
  return warn(
    `${seen}, without AOF (NZGW_ALLOW_VOLATILE_REDIS): it forgets running requests at a restart`,
    toHint(volatile),
  );
}

/** Why the gateway would not start on it. */
async function findFault(redis: Redis, allowVolatile: boolean): Promise<string | undefined> {
  try {
    await checkRedis(redis, { allowVolatile });
    return undefined;
  } catch (error) {
    if (error instanceof UnfitRedisError) return error.message;
    throw error;
  }
}

function toHint(fault: string): string | null {
  if (fault.includes('maxmemory-policy')) return 'set maxmemory-policy noeviction in redis.conf';
  if (fault.includes('AOF')) return 'set appendonly yes in redis.conf';
  return null;
}
