import { expect } from 'chai';
import { openEventStream } from '../../../lib/ledger/event-stream.ts';
import { KEYS } from '../../../lib/ledger/keys.ts';
import { readTimeMs } from '../../../lib/ledger/read-time.ts';
import type { ShardsParts } from '../../../lib/shards/shards-parts.ts';
import type { Shards } from '../../../lib/shards/start-shards.ts';
import { LOCK_CLASS } from '../../../lib/store/advisory-locks.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { sampleEntry } from '../../support/sample-request.ts';
import { openShardWorld, untilShard } from '../../support/shard-world.ts';
import type { ShardWorld } from '../../support/shard-world.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import type { OwnRedis } from '../../support/one-redis.ts';
import { startOwnRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

const makeId = (index: number): string =>
  `01980000-0000-7000-8000-${String(index).padStart(12, '0')}`;

describe('shards/start-shards', function () {
  this.timeout(30_000);
  let own: OwnRedis;
  let redis: Redis;
  let world: ShardWorld;
  let next = 0;

  before(async function () {
    this.timeout(60_000);
    own = await startOwnRedis({ appendOnly: false, port: 0 });
  });
  beforeEach(async function () {
    this.timeout(60_000);
    world = await openShardWorld(own.url);
    redis = world.redis;
    next = 0;
  });
  afterEach(() => world.close());
  after(() => own.remove());

  const start = (changes?: Partial<ShardsParts>): Shards => world.start(changes);
  const settle = async (count: number): Promise<void> => {
    const entries = Array.from({ length: count }, () => sampleEntry({ id: makeId((next += 1)) }));
    await Promise.all(entries.map((entry) => world.ledger.settle(entry)));
  };
  const countRows = (): Promise<number> => world.countRows();
  const untilRows = (count: number): Promise<unknown> =>
    until(async () => (await countRows()) === count, {
      withinMs: 10_000,
      what: `${count} audit rows`,
    });
  const untilEmpty = (): Promise<unknown> =>
    until(async () => (await redis.xlen(KEYS.events(0))) === 0, {
      withinMs: 5_000,
      what: 'the stream to be empty',
    });
  const untilOwner = (shards: Shards): Promise<unknown> =>
    untilShard(shards, 'owned', ({ owner }) => owner);
  const endSessions = (): Promise<unknown> =>
    world.sql.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name like 'nzgw shard%'`,
    );

  it('moves what is there and what comes, several batches of it, and empties the stream', async () => {
    await settle(1_100);
    const shards = start();
    await untilRows(1_100);
    await settle(3);
    await untilRows(1_103);
    await untilEmpty();
    const [state, ...others] = shards.state();
    expect(state).to.include({ shard: 0, owner: true });
    expect(others).to.deep.equal([]);
    expect(world.counts.get('drained')).to.equal(1_103);
    expect(world.counts.get('rejected')).to.equal(0);
  });

  it('sees how long an entry waits in a shard that another gateway owns', async () => {
    await world.sql.query('select pg_advisory_lock($1, 0)', [LOCK_CLASS]);
    const nowMs = await readTimeMs(redis);
    await redis.xadd(KEYS.events(0), `${nowMs - 90_000}-0`, 'entry', 'any');
    const shards = start();
    await untilShard(shards, 'seen', ({ oldestAtMs }) => oldestAtMs !== null);
    const [state] = shards.state();
    expect(state).to.include({ owner: false, waiting: null });
    expect(systemClock.monotonicMs() - (state?.oldestAtMs ?? 0)).to.be.within(90_000, 100_000);
    await redis.del(KEYS.events(0));
    await untilShard(shards, 'empty', ({ oldestAtMs }) => oldestAtMs === null);
  });

  it('brings to Postgres what is there when it is told to stop', async () => {
    const shards = start();
    await untilOwner(shards);
    await settle(700);
    await shards.stop();
    expect(await countRows()).to.equal(700);
    expect(await redis.xlen(KEYS.events(0))).to.equal(0);
    expect(shards.state()[0]?.owner).to.equal(false);
  });

  it('lets one of two gateways do the work, and the other when that one is gone', async () => {
    const first = start();
    await untilOwner(first);
    const second = start();
    await settle(5);
    await untilRows(5);
    expect(second.state()[0]).to.include({ owner: false, waiting: null });

    await first.stop();
    await settle(5);
    await untilRows(10);
    expect(second.state()[0]?.owner).to.equal(true);
  });

  it('can be stopped while it waits for a lock that another holds', async () => {
    await untilOwner(start());
    const second = start();
    await second.stop();
    expect(second.state()[0]?.owner).to.equal(false);
  });

  it('makes one row of each entry though a former owner crashed before it could remove them', async () => {
    await settle(20);
    const events = await openEventStream(redis, 0).read(500);
    start();
    await untilEmpty();
    for (const { text } of events) {
      await redis.xadd(KEYS.events(0), '*', ...(JSON.parse(text) as string[]));
    }
    await settle(1);
    await untilEmpty();
    expect(await countRows()).to.equal(21);
    expect(world.counts.get('drained')).to.equal(41);
    const { rows } = await world.sql.query(
      'select requests, charged_tokens from gateway.token_ledger',
    );
    expect(rows).to.deep.equal([{ requests: 21, charged_tokens: 21 * 46 }]);
  });

  it('goes on past poison and says so without its text', async () => {
    await settle(3);
    await world.ledger.settle(sampleEntry({ id: 'poison-text' }));
    await redis.xadd(KEYS.events(0), '*', 'something', 'poison-text');
    await settle(3);
    start();
    await untilRows(6);
    await untilEmpty();
    expect(world.counts.get('drained')).to.equal(8);
    expect(world.counts.get('rejected')).to.equal(2);
    const { rows } = await world.sql.query('select event from gateway_meta.rejected_events');
    expect(rows).to.have.length(2);
    expect(world.lines.filter((line) => line['event'] === 'event_rejected')).to.have.length(2);
    expect(JSON.stringify(world.lines)).not.to.contain('poison-text');
  });

  it('starts over with a new session when Postgres ends the one that holds the lock', async () => {
    const shards = start();
    await untilOwner(shards);
    await endSessions();
    await settle(5);
    await untilRows(5);
    expect(world.lines.some((line) => line['event'] === 'shard_failed')).to.equal(true);
  });

  it('keeps its session from falling silent while there is nothing to do', async () => {
    const shards = start();
    await untilOwner(shards);
    const beaten = async (): Promise<boolean> => {
      const { rows } = await world.sql.query(
        `select 1 from pg_stat_activity where datname = current_database()
         and application_name like 'nzgw shard%' and query = 'select 1' and state = 'idle'`,
      );
      return rows.length === 1;
    };
    await until(beaten, { withinMs: 5_000, what: 'a beat' });
    await settle(1);
    await untilRows(1);
    expect(shards.state()[0]?.owner).to.equal(true);
  });

  const isAnswered = (shards: Shards, withinMs: number): boolean => {
    const at = shards.state()[0]?.answeredAtMs ?? null;
    return at !== null && systemClock.monotonicMs() - at < withinMs;
  };

  it('tells when Postgres answered last, to the owner, to one that waits, and to none', async () => {
    const proxy = await startFaultProxy(world.databaseUrl);
    try {
      const owner = start({ databaseUrl: proxy.url });
      expect(owner.state()[0]?.answeredAtMs).to.equal(null);
      await untilOwner(owner);
      const waiting = start({ databaseUrl: proxy.url });
      await until(() => isAnswered(waiting, 1_000), { withinMs: 5_000, what: 'the answer' });
      const since = systemClock.monotonicMs();
      await until(
        () => [owner, waiting].every((shards) => Number(shards.state()[0]?.answeredAtMs) > since),
        { withinMs: 2_000, what: 'both to be answered again' },
      );

      proxy.blackhole();
      await until(() => [owner, waiting].every((shards) => !isAnswered(shards, 1_000)), {
        withinMs: 3_000,
        what: 'the silence to show',
      });
      proxy.reset();
      await until(
        () => [owner, waiting].every((shards) => shards.state()[0]?.answeredAtMs === null),
        { withinMs: 3_000, what: 'the loss to show' },
      );
      proxy.pass();
      await until(() => isAnswered(owner, 1_000), { withinMs: 5_000, what: 'the answer' });
      await Promise.all([owner.stop(), waiting.stop()]);
    } finally {
      await proxy.close();
    }
  });

  it('sees the loss of an idle session by its own beat', async () => {
    const shards = start();
    await untilOwner(shards);
    await endSessions();
    await until(() => shards.state()[0]?.owner === false, { withinMs: 3_000, what: 'the loss' });
    await untilOwner(shards);
  });

  it('keeps everything in Redis while Postgres is away', async () => {
    const proxy = await startFaultProxy(world.databaseUrl);
    try {
      proxy.reset();
      const shards = start({ databaseUrl: proxy.url });
      await settle(5);
      await until(() => world.lines.some((line) => line['event'] === 'shard_failed'), {
        withinMs: 5_000,
        what: 'the failure to be told',
      });
      expect(await redis.xlen(KEYS.events(0))).to.equal(5);
      proxy.pass();
      await untilRows(5);
      await shards.stop();
    } finally {
      await proxy.close();
    }
  });

  it('keeps its lock while Redis is away, and goes on when it is back', async () => {
    const proxy = await startFaultProxy(own.url);
    const cut = await connectRedis(proxy.url);
    try {
      const shards = start({ redis: cut });
      await untilOwner(shards);
      proxy.reset();
      await until(() => world.lines.some((line) => line['event'] === 'shard_failed'), {
        withinMs: 5_000,
        what: 'the failure to be told',
      });
      await settle(5);
      expect(await countRows()).to.equal(0);
      proxy.pass();
      await untilRows(5);
      expect(shards.state()[0]?.owner).to.equal(true);
      await shards.stop();
    } finally {
      cut.disconnect();
      await proxy.close();
    }
  });
});
