import { expect } from 'chai';
import { checkRedis, UnfitRedisError } from '../../../lib/store/redis-check.ts';
import { openRedis } from '../../../lib/store/redis.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { callEveryNode, setConfig } from '../../support/every-node.ts';
import type { OwnRedis } from '../../support/one-redis.ts';
import { startOneRedis } from '../../support/one-redis.ts';
import { startOwnRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

const QUICK = { commandTimeoutMs: 1_000 };

/** The reason that the check gives, or null where it has none. */
async function reasonOf(redis: Pick<Redis, 'info'>, allowVolatile = false): Promise<string | null> {
  try {
    await checkRedis(redis, { allowVolatile });
    return null;
  } catch (error) {
    if (error instanceof UnfitRedisError) return error.message;
    throw error;
  }
}

function asUser(url: string, credentials: string): string {
  return url.replace('//', `//${credentials}@`);
}

describe('store/redis-check', () => {
  let own: OwnRedis;
  let redis: Redis;
  before(async function () {
    this.timeout(30_000);
    own = await startOwnRedis({ port: 0 });
    redis = await connectRedis(own.url);
  });
  after(async () => {
    redis.disconnect();
    await own.remove();
  });

  it('takes a Redis that keeps everything, also where CONFIG is forbidden', async () => {
    expect(await reasonOf(redis)).to.equal(null);
    await callEveryNode(redis, 'ACL', 'SETUSER', 'tenant', 'on', '>pw', '~*', '+@all', '-config');
    const limited = await connectRedis(asUser(own.url, 'tenant:pw'));
    expect(await reasonOf(limited)).to.equal(null);
    limited.disconnect();
  });

  it('refuses one that may throw keys away', async () => {
    await setConfig(redis, 'maxmemory-policy', 'allkeys-lru');
    expect(await reasonOf(redis, true)).to.contain('allkeys-lru');
    await setConfig(redis, 'maxmemory-policy', 'noeviction');
  });

  it('refuses one without AOF, unless that is accepted', async () => {
    await setConfig(redis, 'appendonly', 'no');
    expect(await reasonOf(redis)).to.contain('NZGW_ALLOW_VOLATILE_REDIS');
    expect(await reasonOf(redis, true)).to.equal(null);
  });

  it('refuses one that is too old or will not say how old it is', async () => {
    const old = { info: () => Promise.resolve('# Server\r\nredis_version:6.2.14\r\n') };
    expect(await reasonOf(old, true)).to.contain('6.2.14');
    expect(await reasonOf({ info: () => Promise.resolve('') })).to.contain('unknown');
    const silent = { info: () => Promise.resolve('redis_version:7.2.0\r\n') };
    expect(await reasonOf(silent)).to.contain('unknown');
  });

  it('refuses several addresses of Redis that is no cluster, and one alone of a cluster', async () => {
    const one = await startOneRedis({ port: 0 });
    const several = openRedis({ url: [one.url, one.url], connectionName: 'test', ...QUICK });
    const refusal = await until(() => reasonOf(several).catch(() => null), {
      withinMs: 5_000,
      what: 'a refusal',
    });
    several.disconnect();
    await one.remove();
    expect(refusal).to.contain('cluster-enabled no').and.contain('REDIS_URL');
    const node = { info: async () => `${await redis.info()}\r\ncluster_enabled:1\r\n` };
    expect(await reasonOf(node, true)).to.contain('separated by commas');
  });

  it('blames nobody where Redis could not be asked', async () => {
    const gone = await connectRedis(own.url);
    gone.disconnect();
    const outcome = await reasonOf(gone).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(Error).and.not.instanceOf(UnfitRedisError);
  });
});
