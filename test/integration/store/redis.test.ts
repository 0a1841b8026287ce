import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { onConnectionLost } from '../../../lib/store/redis-connection.ts';
import { openRedis } from '../../../lib/store/redis.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { callEveryNode, sumInfo } from '../../support/every-node.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import type { FaultProxy } from '../../support/fault-proxy.ts';
import { connectRedis, listAddresses, untilConnected } from '../../support/connect-redis.ts';
import type { OwnRedis } from '../../support/one-redis.ts';
import { startOwnRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

const SILENCE_MS = 7_000;

const now = (): number => performance.now();

describe('store/redis', () => {
  let own: OwnRedis;
  let proxy: FaultProxy;
  let direct: Redis;
  let redis: Redis;

  before(async function () {
    this.timeout(30_000);
    own = await startOwnRedis({ appendOnly: false });
    proxy = await startFaultProxy(own.url);
    direct = await connectRedis(own.url);
  });
  beforeEach(async () => {
    redis = openRedis({
      url: listAddresses(proxy.url),
      connectionName: 'test',
      commandTimeoutMs: 500,
    });
    await untilConnected(redis);
  });
  afterEach(() => {
    redis.disconnect();
    proxy.pass();
  });
  after(async () => {
    direct.disconnect();
    await proxy.close();
    await own.remove();
  });

  it('leaves what is asked in one turn in one write', async () => {
    const before = await readCount(direct);
    await Promise.all(Array.from({ length: 100 }, (_, index) => direct.incr(`turn:${index}`)));
    expect((await readCount(direct)) - before).to.be.below(10);
  });

  it('fails at once while Redis is away, and neither keeps nor repeats what was asked', async () => {
    await callEveryNode(direct, 'CLIENT', 'PAUSE', 60_000, 'WRITE');
    const lost = redis.incr('once').catch((error: unknown) => error);
    proxy.reset();
    expect(await lost).to.be.instanceOf(Error);
    const askedAt = now();
    expect(await redis.incr('once').catch((error: unknown) => error)).to.be.instanceOf(Error);
    expect(now() - askedAt).to.be.below(100);

    await callEveryNode(direct, 'CLIENT', 'UNPAUSE');
    proxy.pass();
    await untilConnected(redis);
    expect(await redis.get('once')).to.equal(null);
  });

  it('gives up a connection on which an answer is due and nothing comes', async function () {
    this.timeout(20_000);
    const closed = Promise.withResolvers<number>();
    const endTelling = onConnectionLost(redis, () => {
      closed.resolve(now());
    });
    proxy.blackhole();
    const askedAt = now();
    const asking = setInterval(() => void redis.ping().catch(() => undefined), 200);
    const silentMs = (await closed.promise) - askedAt;
    clearInterval(asking);
    endTelling();
    expect(silentMs).to.be.within(SILENCE_MS - 100, SILENCE_MS + 1_000);

    const backAt = now();
    proxy.pass();
    await until(() => redis.ping().catch(() => null), { withinMs: 5_000, what: 'an answer' });
    expect(now() - backAt).to.be.below(2_000);
  });

  it('leaves alone a connection that is only idle', async function () {
    this.timeout(20_000);
    let closes = 0;
    onConnectionLost(redis, () => (closes += 1));
    await redis.ping();
    await wait(SILENCE_MS + 500);
    expect(await redis.ping()).to.equal('PONG');
    expect(closes).to.equal(0);
  });
});

/** How many reads from sockets Redis made so far. */
function readCount(redis: Redis): Promise<number> {
  return sumInfo(redis, 'stats', 'total_reads_processed');
}
