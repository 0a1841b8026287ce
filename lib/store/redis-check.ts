import { ClusterRedis } from './redis-cluster.ts';
import type { Redis } from './redis.ts';

/** This Redis must not hold what the gateway decides by; the text says why and can be shown. */
export class UnfitRedisError extends Error {
  override readonly name = 'UnfitRedisError';
}

const OLDEST_MAJOR = 7;

interface Demands {
  readonly allowVolatile: boolean;
}

/**
 * Refuses a Redis that is too old, that may throw keys away, or that forgets at a restart (SPEC §5);
 * of a Redis Cluster every master is asked, and a connection that sees one of its nodes alone is
 * refused. INFO tells all that, also where a host of Redis forbids CONFIG.
 *
 * @throws UnfitRedisError; anything else means that Redis could not be asked
 */
export async function checkRedis(redis: Pick<Redis, 'info'>, demands: Demands): Promise<void> {
  if (!(redis instanceof ClusterRedis)) {
    const info = readInfo(await redis.info());
    refuseUnfit(info, 'Redis', demands);
    if (info.get('cluster_enabled') === '1') {
      throw new UnfitRedisError(
        'Redis is a node of a Redis Cluster; REDIS_URL must list two or more of its nodes, ' +
          'separated by commas',
      );
    }
    return;
  }
  const masters = listMasters(redis);
  await Promise.all(
    masters.map(async (node) => {
      const { host = '', port = '' } = node.options;
      refuseUnfit(readInfo(await node.info()), `Redis at ${host}:${port}`, demands);
    }),
  );
}

function listMasters(cluster: ClusterRedis): ReturnType<ClusterRedis['listMasters']> {
  try {
    return cluster.listMasters();
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('cluster support disabled')))
      throw error;
    throw new UnfitRedisError(
      'Redis runs without cluster mode (cluster-enabled no), but REDIS_URL lists several nodes; ' +
        'it must name one',
    );
  }
}

function refuseUnfit(info: ReadonlyMap<string, string>, who: string, demands: Demands): void {
  const version = info.get('redis_version') ?? 'unknown';
  if (!(Number.parseInt(version, 10) >= OLDEST_MAJOR)) {
    throw new UnfitRedisError(
      `${who} is of version ${version}; ${OLDEST_MAJOR}.0 or newer is needed`,
    );
  }

  const policy = info.get('maxmemory_policy') ?? 'unknown';
  if (policy !== 'noeviction') {
    throw new UnfitRedisError(`${who} has maxmemory-policy ${policy}; it must be noeviction`);
  }

  if (info.get('aof_enabled') !== '1' && !demands.allowVolatile) {
    throw new UnfitRedisError(
      `${who} runs without AOF (appendonly no) and would forget running requests at a restart; ` +
        'NZGW_ALLOW_VOLATILE_REDIS=true accepts that',
    );
  }
}

function readInfo(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(/\r?\n/).map((line) => line.split(':'));
  return new Map(pairs.map(([name = '', ...value]) => [name, value.join(':')]));
}
