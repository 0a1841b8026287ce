import { expect } from 'chai';
import { waitForRedis } from '../../../lib/cluster/wait-for-redis.ts';
import { openRedis } from '../../../lib/store/redis.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { listAddresses } from '../../support/connect-redis.ts';
import { startTestRedis } from '../../support/test-redis.ts';

describe('cluster/wait-for-redis', () => {
  it('waits for a connection that is being made, and not for one that stands', async () => {
    const { url } = await startTestRedis();
    const redis = openRedis({
      url: listAddresses(url),
      ...{ connectionName: 'test', commandTimeoutMs: 1_000 },
    });
    expect(redis.status).to.not.equal('ready');
    await waitForRedis(redis, 4_000);
    expect(redis.status).to.equal('ready');
    expect(await redis.ping()).to.equal('PONG');
    await waitForRedis(redis, 0);
    expect(redis.listenerCount('ready')).to.equal(0);
    redis.disconnect();
  });

  it('a Redis that is away is waited for no longer than allowed', async () => {
    const url = 'redis://127.0.0.1:9';
    const redis = openRedis({ url, connectionName: 'test', commandTimeoutMs: 1_000 });
    const startedAtMs = systemClock.monotonicMs();
    await waitForRedis(redis, 50);
    expect(systemClock.monotonicMs() - startedAtMs).to.be.within(49, 1_000);
    expect(redis.listenerCount('ready')).to.equal(0);
    redis.disconnect();
  });
});
