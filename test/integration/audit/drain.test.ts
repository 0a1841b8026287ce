import { expect } from 'chai';
import { startDrain } from '../../../lib/audit/drain.ts';
import type { Drain } from '../../../lib/audit/drain.ts';
import { openEventStream } from '../../../lib/ledger/event-stream.ts';
import { KEYS } from '../../../lib/ledger/keys.ts';
import { openLedger } from '../../../lib/ledger/ledger.ts';
import type { Ledger } from '../../../lib/ledger/ledger.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { recordLog } from '../../support/record-log.ts';
import { sampleEntry } from '../../support/sample-request.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';
import { connectRedis, startOwnRedis } from '../../support/test-redis.ts';
import type { OwnRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

const makeId = (index: number): string =>
  `01980000-0000-7000-8000-${String(index).padStart(12, '0')}`;

describe('audit/drain', function () {
  this.timeout(30_000);
  let own: OwnRedis;
  let redis: Redis;
  let ledger: Ledger;
  let database: TestDatabase;
  let client: PostgresClient;
  let drains: Drain[] = [];
  let next = 0;
  let recorded = recordLog();

  before(async function () {
    this.timeout(60_000);
    own = await startOwnRedis({ appendOnly: false, port: 0 });
    redis = await connectRedis(own.url);
    ledger = openLedger(redis, { shards: 1, clock: systemClock });
  });
  beforeEach(async function () {
    this.timeout(60_000);
    await redis.flushall();
    database = await makeDatabase();
    client = await connect(database.url);
    next = 0;
    recorded = recordLog();
  });
  afterEach(async () => {
    await Promise.all(drains.map((drain) => drain.stop()));
    drains = [];
    await client.end();
    await database.drop();
  });
  after(async () => {
    redis.disconnect();
    await own.remove();
  });

  const start = (changes: { databaseUrl?: string; redis?: Redis } = {}): Drain => {
    const parts = {
      databaseUrl: database.url,
      redis,
      shards: 1,
      clock: systemClock,
      log: recorded.log,
    };
    const drain = startDrain({ ...parts, ...changes });
    drains.push(drain);
    return drain;
  };
  const settle = async (count: number): Promise<void> => {
    const entries = Array.from({ length: count }, () => sampleEntry({ id: makeId((next += 1)) }));
    await Promise.all(entries.map((entry) => ledger.settle(entry)));
  };
  const countRows = async (): Promise<number> => {
    const { rows } = await client.query<{ count: number }>(
      'select count(*) from gateway.audit_log',
    );
    return rows[0]?.count ?? -1;
  };
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
  const untilOwner = (drain: Drain): Promise<unknown> =>
    until(() => drain.state()[0]?.owner, { withinMs: 5_000, what: 'the drain to own its shard' });

  it('moves what is there and what comes, several batches of it, and empties the stream', async () => {
    await settle(1_100);
    const drain = start();
    await untilRows(1_100);
    await settle(3);
    await untilRows(1_103);
    await untilEmpty();
    const [state, ...others] = drain.state();
    expect(state).to.include({ shard: 0, owner: true, drained: 1_103, rejected: 0 });
    expect(others).to.deep.equal([]);
  });

  it('brings to Postgres what is there when it is told to stop', async () => {
    const drain = start();
    await untilOwner(drain);
    await settle(700);
    await drain.stop();
    expect(await countRows()).to.equal(700);
    expect(await redis.xlen(KEYS.events(0))).to.equal(0);
    expect(drain.state()[0]?.owner).to.equal(false);
  });

  it('lets one of two gateways do the work, and the other when that one is gone', async () => {
    const first = start();
    await untilOwner(first);
    const second = start();
    await settle(5);
    await untilRows(5);
    expect(second.state()[0]).to.include({ owner: false, drained: 0 });

    await first.stop();
    await settle(5);
    await untilRows(10);
    expect(second.state()[0]).to.include({ owner: true, drained: 5 });
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
    const drain = start();
    await untilEmpty();
    for (const { text } of events) await redis.xadd(KEYS.events(0), '*', 'entry', text);
    await settle(1);
    await untilEmpty();
    expect(await countRows()).to.equal(21);
    expect(drain.state()[0]?.drained).to.equal(41);
  });

  it('goes on past poison and says so without its text', async () => {
    await settle(3);
    await ledger.settle(sampleEntry({ id: 'poison-text' }));
    await redis.xadd(KEYS.events(0), '*', 'something', 'poison-text');
    await settle(3);
    const drain = start();
    await untilRows(6);
    await untilEmpty();
    expect(drain.state()[0]).to.include({ drained: 8, rejected: 2 });
    const { rows } = await client.query('select event from gateway_meta.rejected_events');
    expect(rows).to.have.length(2);
    expect(recorded.lines.filter((line) => line['event'] === 'event_rejected')).to.have.length(2);
    expect(JSON.stringify(recorded.lines)).not.to.contain('poison-text');
  });

  it('starts over with a new session when Postgres ends the one that holds the lock', async () => {
    const drain = start();
    await untilOwner(drain);
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name like 'nzgw drain%'`,
    );
    await settle(5);
    await untilRows(5);
    expect(recorded.lines.some((line) => line['event'] === 'drain_failed')).to.equal(true);
  });

  it('keeps its session from falling silent while there is nothing to do', async () => {
    const drain = start();
    await untilOwner(drain);
    const beaten = async (): Promise<boolean> => {
      const { rows } = await client.query(
        `select 1 from pg_stat_activity where datname = current_database()
         and application_name like 'nzgw drain%' and query = 'select 1' and state = 'idle'`,
      );
      return rows.length === 1;
    };
    await until(beaten, { withinMs: 5_000, what: 'a beat' });
    await settle(1);
    await untilRows(1);
    expect(drain.state()[0]?.owner).to.equal(true);
  });

  const isAnswered = (drain: Drain, withinMs: number): boolean => {
    const at = drain.state()[0]?.answeredAtMs ?? null;
    return at !== null && systemClock.monotonicMs() - at < withinMs;
  };

  it('tells when Postgres answered last, to the owner, to one that waits, and to none', async () => {
    const proxy = await startFaultProxy(database.url);
    try {
      const owner = start({ databaseUrl: proxy.url });
      expect(owner.state()[0]?.answeredAtMs).to.equal(null);
      await untilOwner(owner);
      const waiting = start({ databaseUrl: proxy.url });
      await until(() => isAnswered(waiting, 1_000), { withinMs: 5_000, what: 'the answer' });
      const since = systemClock.monotonicMs();
      await until(
        () => [owner, waiting].every((drain) => Number(drain.state()[0]?.answeredAtMs) > since),
        { withinMs: 2_000, what: 'both to be answered again' },
      );

      proxy.blackhole();
      await until(() => [owner, waiting].every((drain) => !isAnswered(drain, 1_000)), {
        withinMs: 3_000,
        what: 'the silence to show',
      });
      proxy.reset();
      await until(
        () => [owner, waiting].every((drain) => drain.state()[0]?.answeredAtMs === null),
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
    const drain = start();
    await untilOwner(drain);
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name like 'nzgw drain%'`,
    );
    await until(() => drain.state()[0]?.owner === false, { withinMs: 3_000, what: 'the loss' });
    await untilOwner(drain);
  });

  it('keeps everything in Redis while Postgres is away', async () => {
    const proxy = await startFaultProxy(database.url);
    try {
      proxy.reset();
      const drain = start({ databaseUrl: proxy.url });
      await settle(5);
      await until(() => recorded.lines.some((line) => line['event'] === 'drain_failed'), {
        withinMs: 5_000,
        what: 'the failure to be told',
      });
      expect(await redis.xlen(KEYS.events(0))).to.equal(5);
      proxy.pass();
      await untilRows(5);
      await drain.stop();
    } finally {
      await proxy.close();
    }
  });

  it('keeps its lock while Redis is away, and goes on when it is back', async () => {
    const proxy = await startFaultProxy(own.url);
    const cut = await connectRedis(proxy.url);
    try {
      const drain = start({ redis: cut });
      await untilOwner(drain);
      proxy.reset();
      await until(() => recorded.lines.some((line) => line['event'] === 'drain_failed'), {
        withinMs: 5_000,
        what: 'the failure to be told',
      });
      await settle(5);
      expect(await countRows()).to.equal(0);
      proxy.pass();
      await untilRows(5);
      expect(drain.state()[0]?.owner).to.equal(true);
      await drain.stop();
    } finally {
      cut.disconnect();
      await proxy.close();
    }
  });
});
