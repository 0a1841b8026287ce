import { expect } from 'chai';
import { waitForRedis } from '../../../lib/cluster/wait-for-redis.ts';
import { checkRedis, UnfitRedisError } from '../../../lib/store/redis-check.ts';
import {
  isConnected,
  onConnection,
  onConnectionLost,
} from '../../../lib/store/redis-connection.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { openRedis } from '../../../lib/store/redis.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { startRedisCluster } from '../../support/redis-cluster.ts';
import type { OwnRedisCluster } from '../../support/redis-cluster.ts';
import { until } from '../../support/until.ts';

const COMMAND_TIMEOUT_MS = 1_000;
const TAGS = Array.from({ length: 16 }, (_, shard) => `{s${String(shard).padStart(2, '0')}}`);
const ADD =
  "return redis.call('INCRBY', KEYS[1], ARGV[1]) + redis.call('INCRBY', KEYS[2], ARGV[1])";

type Adding = Redis & {
  addBoth(a: string, b: string, count: number): Promise<number>;
};

describe('store/redis-cluster', function () {
  this.timeout(90_000);
  let cluster: OwnRedisCluster;
  let redis: Adding;
  let nodes: readonly Redis[];

  before(async () => {
    cluster = await startRedisCluster();
    nodes = await Promise.all(cluster.urls.map(connectRedis));
  });
  after(async () => {
    for (const node of nodes) node.disconnect();
    await cluster.remove();
  });
  beforeEach(async () => {
    redis = (await openAll(cluster.urls)) as Adding;
    redis.defineCommand('addBoth', { numberOfKeys: 2, lua: ADD });
  });
  afterEach(() => {
    redis.disconnect();
  });

  const add = (tag: string, name = 'a'): Promise<number> =>
    redis.addBoth(`nz1:${tag}:${name}`, `nz1:${tag}:b`, 1);

  it('runs a script over two keys of one shard, for every shard, and uses all nodes', async () => {
    await Promise.all(TAGS.map((tag) => add(tag)));
    expect(await Promise.all(TAGS.map((tag) => add(tag)))).to.deep.equal(TAGS.map(() => 4));
    for (const node of nodes) expect(await node.dbsize()).to.be.above(0);
  });

  it('refuses a script over two shards', async () => {
    const outcome = await refusalOf(redis.addBoth('nz1:{s00}:a', 'nz1:{s01}:b', 1));
    expect(outcome.message).to.contain('CROSSSLOT');
  });

  it('leaves what is asked in one turn in one write to each node', async () => {
    const before = await readCount(nodes);
    await Promise.all(
      Array.from({ length: 320 }, (_, index) => redis.incr(`${TAGS[index % 16] ?? ''}:${index}`)),
    );
    expect((await readCount(nodes)) - before).to.be.below(20);
  });

  it('does not send again what a lost connection left without an answer', async () => {
    const [tag = ''] = TAGS;
    await pause(nodes);
    const lost = refusalOf(redis.incr(`once:${tag}`));
    // It is paused when Redis has read it.
    await until(() => countBlocked(nodes), { withinMs: 500, what: 'the command to arrive' });
    for (const node of nodes) await node.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const refusal = await lost;
    for (const node of nodes) await node.call('CLIENT', 'UNPAUSE');
    expect(refusal.message).not.to.contain('timed out');
    await until(() => add(tag).catch(() => null), { withinMs: 5_000, what: 'the node to answer' });
    expect(await redis.get(`once:${tag}`)).to.equal(null);
  });

  it('tells when the connection to one node is lost, and when it is back, though it stays ready', async () => {
    const told: string[] = [];
    onConnection(redis, () => told.push('there'));
    onConnectionLost(redis, () => told.push('lost'));
    const statuses = new Set<string>();
    await nodes[1]?.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(
      () => {
        statuses.add(redis.status);
        return told.length === 2;
      },
      {
        withinMs: 2_000,
        what: 'both to be told',
      },
    );
    expect(told).to.deep.equal(['lost', 'there']);
    expect([...statuses]).to.deep.equal(['ready']);
    expect(isConnected(redis)).to.equal(true);
  });

  it('is connected when every master is, which is later than it is ready', async () => {
    const fresh = openRedis({ url: cluster.urls, connectionName: 'test', commandTimeoutMs: 1_000 });
    try {
      await waitForRedis(fresh, 5_000);
      // Not awaited one by one: each would fail at once where its node is not connected.
      await Promise.all(TAGS.map((tag) => fresh.get(tag)));
      expect(isConnected(fresh)).to.equal(true);
    } finally {
      fresh.disconnect();
    }
  });

  it('checks every master', async () => {
    await checkRedis(redis, { allowVolatile: false });
    for (const [index, node] of nodes.entries()) {
      await node.config('SET', 'maxmemory-policy', 'allkeys-lru');
      const refusal = await refusalOf(checkRedis(redis, { allowVolatile: false }));
      expect(refusal).to.be.instanceOf(UnfitRedisError);
      expect(refusal.message).to.contain(new URL(cluster.urls[index] ?? '').host);
      await node.config('SET', 'maxmemory-policy', 'noeviction');
    }
  });

  it('is refused by a connection that names one node alone', async () => {
    const refusal = await refusalOf(checkRedis(nodes[0] ?? redis, { allowVolatile: true }));
    expect(refusal).to.be.instanceOf(UnfitRedisError);
    expect(refusal.message).to.contain('separated by commas');
  });

  it('takes the credentials of the first address for every node', async () => {
    for (const node of nodes) await node.call('ACL', 'SETUSER', 'nz', 'on', '>p,@w', '~*', '+@all');
    const [first = '', ...others] = cluster.urls;
    const named = await openAll([first.replace('//', '//nz:p,%40w@'), ...others]);
    for (const node of nodes)
      expect(String(await node.call('CLIENT', 'LIST'))).to.match(/user=nz /);
    named.disconnect();
  });

  it('speaks TLS to every node where the first address says so', async () => {
    const urls = cluster.urls.map((url) => url.replace('redis:', 'rediss:'));
    const encrypted = openRedis({ url: urls, connectionName: 'test', commandTimeoutMs: 500 });
    const why = async (): Promise<boolean> => {
      const { message } = await refusalOf(checkRedis(encrypted, { allowVolatile: true }));
      return message !== 'the nodes have not answered yet';
    };
    await until(why, { withinMs: 5_000, what: 'servers that speak plainly to be refused' });
    encrypted.disconnect();
  });

  it('cannot be checked before it is connected, and blames nobody', async () => {
    redis.disconnect();
    const gone = openRedis({ url: cluster.urls, connectionName: 'test', commandTimeoutMs: 100 });
    const refusal = await refusalOf(checkRedis(gone, { allowVolatile: true }));
    gone.disconnect();
    expect(refusal).not.to.be.instanceOf(UnfitRedisError);
  });

  it('serves the other slots while a node is gone, and its own when it is back', async () => {
    const lost = await cluster.nodeOf(`nz1:${TAGS[0] ?? ''}:a`);
    const owners = await Promise.all(TAGS.map((tag) => cluster.nodeOf(`nz1:${tag}:a`)));
    const isLost = owners.map((owner) => owner === lost);
    lost.signal('SIGKILL');

    // Time enough for the others to call the node failed, which takes them 2 s.
    const endAt = performance.now() + 5_000;
    while (performance.now() < endAt) {
      const askedAt = performance.now();
      const outcomes = await Promise.allSettled(TAGS.map((tag) => add(tag)));
      expect(performance.now() - askedAt).to.be.below(COMMAND_TIMEOUT_MS + 200);
      expect(outcomes.map(({ status }) => status === 'rejected')).to.deep.equal(isLost);
    }

    await lost.restart();
    await until(() => Promise.all(TAGS.map((tag) => add(tag))).catch(() => null), {
      withinMs: 10_000,
      what: 'every slot to be served again',
    });
  });

  it('comes back when all nodes were gone', async () => {
    let attempts = 0;
    redis.on('reconnecting', () => {
      attempts += 1;
    });
    cluster.signal('SIGKILL');
    const askedAt = performance.now();
    const outcomes = await Promise.allSettled(TAGS.map((tag) => add(tag)));
    expect(outcomes.every(({ status }) => status === 'rejected')).to.equal(true);
    expect(performance.now() - askedAt).to.be.below(COMMAND_TIMEOUT_MS + 200);
    // Attempts in vain may not be its last: one whose nodes were given up silently never ended.
    await until(() => attempts > 5, { withinMs: 15_000, what: 'it to try again and again' });

    await Promise.all(cluster.nodes.map((node) => node.restart()));
    // Masters that come back serve nothing for 2 s, so that those who took over are heard first.
    await until(() => Promise.all(TAGS.map((tag) => add(tag))).catch(() => null), {
      withinMs: 10_000,
      what: 'every slot to be served again',
    });
  });
});

/** Its commands may take less time than those of `connectRedis`. */
async function openAll(url: readonly string[]): Promise<Redis> {
  const redis = openRedis({ url, connectionName: 'test', commandTimeoutMs: COMMAND_TIMEOUT_MS });
  await until(() => Promise.all(TAGS.map((tag) => redis.get(tag))).catch(() => null), {
    withinMs: 5_000,
    what: 'every node to be connected',
  });
  return redis;
}

async function refusalOf(asked: Promise<unknown>): Promise<Error> {
  const outcome = await asked.catch((error: unknown) => error);
  if (!(outcome instanceof Error)) throw new Error('it was not refused');
  return outcome;
}

async function pause(nodes: readonly Redis[]): Promise<void> {
  for (const node of nodes) await node.call('CLIENT', 'PAUSE', 60_000, 'WRITE');
}

async function countBlocked(nodes: readonly Redis[]): Promise<number> {
  return sum(nodes, 'blocked_clients', 'clients');
}

/** How many reads from sockets the nodes made so far. */
async function readCount(nodes: readonly Redis[]): Promise<number> {
  return sum(nodes, 'total_reads_processed', 'stats');
}

async function sum(nodes: readonly Redis[], field: string, section: string): Promise<number> {
  const texts = await Promise.all(nodes.map((node) => node.info(section)));
  return texts.reduce(
    (total, text) => total + Number(text.split(`${field}:`)[1]?.split('\r')[0]),
    0,
  );
}
