import { expect } from 'chai';
import { ClusterRedis } from '../../../lib/store/redis-cluster.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import type { FaultProxy } from '../../support/fault-proxy.ts';
import { startRedisCluster } from '../../support/redis-cluster.ts';
import type { OwnRedisCluster } from '../../support/redis-cluster.ts';
import { until } from '../../support/until.ts';

/** The wait for the next attempt is 400 ms by then, long enough for an answer to come meanwhile. */
const ATTEMPTS = 8;

describe('store/redis-cluster whose nodes were made anew', function () {
  this.timeout(60_000);
  let cluster: OwnRedisCluster;
  let proxy: FaultProxy;
  let redis: ClusterRedis;
  let nodes: readonly Redis[];

  beforeEach(async () => {
    cluster = await startRedisCluster({ appendOnly: false });
    proxy = await startFaultProxy(cluster.url);
    nodes = await Promise.all(cluster.urls.map(connectRedis));
    const opened = await connectRedis(proxy.url);
    if (!(opened instanceof ClusterRedis)) throw new Error('it is no cluster');
    redis = opened;
  });
  afterEach(async () => {
    redis.disconnect();
    for (const node of nodes) node.disconnect();
    await proxy.close();
    await cluster.remove();
  });

  /** Resolves when each of its nodes has just begun to wait for a late attempt. */
  async function untilAllWait(): Promise<readonly { readonly status: string }[]> {
    const masters = redis.listMasters();
    const waits = masters.map(() => 0);
    for (const [n, master] of masters.entries()) {
      master.on('reconnecting', () => (waits[n] = (waits[n] ?? 0) + 1));
    }
    proxy.reset();
    const isLate = (): boolean =>
      waits.every((times) => times >= ATTEMPTS) &&
      masters.every(({ status }) => status === 'reconnecting');
    await until(isLate, { withinMs: 10_000, what: 'all nodes to wait for an attempt' });
    return masters;
  }

  it('tries again when one answers that there are no slots while all wait for their next attempt', async () => {
    for (const node of nodes) await node.call('CLUSTER', 'RESET', 'SOFT');
    const masters = await untilAllWait();
    let reconnects = 0;
    redis.on('reconnecting', () => (reconnects += 1));
    proxy.passNew();
    const answered = proxy.at({ command: 'cluster', when: 'after' }, ({ args }) => {
      expect(args.map((word) => word.toUpperCase())).to.deep.equal(['SLOTS']);
      // Else this test would prove nothing: a node that is connected tells of its end.
      for (const { status } of masters) expect(status).to.equal('reconnecting');
    });
    redis.refreshSlotsCache();
    await answered;
    await until(() => reconnects > 0, { withinMs: 5_000, what: 'it to try again' });

    await nodes[0]?.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
    await until(() => redis.set('a', 'there').catch(() => null), {
      withinMs: 10_000,
      what: 'the slots to be served again',
    });
  });

  it('ends when it is told to while all wait for their next attempt', async () => {
    await untilAllWait();
    let ended = false;
    redis.once('end', () => (ended = true));
    redis.disconnect();
    await until(() => ended, { withinMs: 2_000, what: 'its end' });
  });
});
