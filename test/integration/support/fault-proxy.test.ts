import { expect } from 'chai';
import { makeClient } from '../../../lib/store/postgres.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { openRedis } from '../../../lib/store/redis.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { flushAll, flushScripts } from '../../support/every-node.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import type { FaultProxy } from '../../support/fault-proxy.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';
import { connectRedis, listAddresses } from '../../support/connect-redis.ts';
import { startTestRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

const LUA = `return redis.call('INCRBY', KEYS[1], ARGV[1])`;
const SCRIPTS = [{ command: 'nz_add', lua: LUA }];

type Adding = Redis & { nz_add(key: string, amount: number): Promise<number> };

const fail = (error: unknown): Error => error as Error;

describe('support/fault-proxy before Redis', function () {
  this.timeout(30_000);
  let direct: Redis;
  let proxy: FaultProxy;
  let redis: Adding;

  before(async () => {
    direct = await connectRedis((await startTestRedis()).url);
  });
  beforeEach(async () => {
    await flushAll(direct);
    await flushScripts(direct);
    proxy = await startFaultProxy((await startTestRedis()).url, { scripts: SCRIPTS });
    redis = await connectAgain();
  });
  afterEach(async () => {
    redis.disconnect();
    await proxy.close();
  });
  after(() => {
    direct.disconnect();
  });

  async function connectAgain(): Promise<Adding> {
    const opened = await connectRedis(proxy.url);
    opened.defineCommand('nz_add', { numberOfKeys: 1, lua: LUA });
    return opened as Adding;
  }

  it('before, cut: Redis never saw it, nor what was sent behind it', async () => {
    // One slot, and so one connection, whatever the topology.
    const first = redis.set('{t}a', 'there');
    const hit = proxy.at({ command: 'set', nth: 2, when: 'before' }, async ({ args, cut }) => {
      expect(args).to.deep.equal(['{t}b', 'there']);
      await first;
      cut();
    });
    const outcomes = await Promise.allSettled([
      first,
      redis.set('{t}b', 'there'),
      redis.set('{t}c', 'there'),
    ]);
    await hit;
    expect(outcomes.map(({ status }) => status)).to.deep.equal([
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect(await Promise.all(['{t}a', '{t}b', '{t}c'].map((key) => direct.get(key)))).to.deep.equal(
      ['there', null, null],
    );
  });

  it('after, cut: Redis has it, and the client never heard', async () => {
    const hit = proxy.at({ command: 'add', when: 'after' }, async ({ args, cut }) => {
      expect(args).to.deep.equal(['sum', '5']);
      expect(await direct.get('sum')).to.equal('5');
      cut();
    });
    const outcome = await redis.nz_add('sum', 5).catch(fail);
    await hit;
    expect(outcome).to.be.instanceOf(Error);
    expect(await direct.get('sum')).to.equal('5');
  });

  it('knows a script by its digest too, and does not count one that Redis had forgotten', async () => {
    await redis.nz_add('sum', 1);
    await flushScripts(direct);
    const held = proxy.hold({ command: 'add', when: 'after' });
    const outcome = redis.nz_add('sum', 10);
    const step = await held;
    expect(await direct.get('sum')).to.equal('11');
    step.pass();
    expect(await outcome).to.equal(11);
    const second = proxy.hold({ command: 'add', when: 'before' });
    const next = redis.nz_add('sum', 100);
    (await second).pass();
    expect(await next).to.equal(111);
  });

  it('held before: it is applied late, though its sender is gone', async () => {
    const held = proxy.hold({ command: 'set', when: 'before' });
    const outcome = redis.set('late', 'yes').catch(fail);
    const step = await held;
    redis.disconnect();
    expect(await outcome).to.be.instanceOf(Error);
    expect(await direct.get('late')).to.equal(null);
    step.pass();
    await until(() => direct.get('late'), { withinMs: 2_000, what: 'the late write' });
  });

  it('after, on one connection: another one goes on meanwhile, and replies keep their order', async () => {
    const other = await connectAgain();
    const held = proxy.hold({ command: 'incr', when: 'after' });
    const heard: string[] = [];
    const all = Promise.all([
      redis.set('a', '1').then(() => heard.push('set')),
      redis.incr('a').then((value) => heard.push(String(value))),
      redis.get('a').then((value) => heard.push(value ?? '')),
    ]);
    const step = await held;
    expect(await other.get('a')).to.equal('2');
    expect(heard).to.deep.equal(['set']);
    step.pass();
    await all;
    expect(heard).to.deep.equal(['set', '2', '2']);
    other.disconnect();
  });

  it('lets it pass when the act has ended without a word, and tells what the act threw', async () => {
    const hit = proxy.at({ command: 'set', when: 'before' }, () => {
      throw new Error('the act');
    });
    expect(await redis.set('a', '1')).to.equal('OK');
    expect(await hit.catch(fail)).to.have.property('message', 'the act');
  });

  it('makes replies late, each by as much', async () => {
    proxy.delay(250);
    const startMs = systemClock.monotonicMs();
    await Promise.all([redis.get('a'), redis.get('b'), redis.get('c')]);
    expect(systemClock.monotonicMs() - startMs).to.be.within(249, 600);
    proxy.delay(0);
    await redis.get('a');
    expect(systemClock.monotonicMs() - startMs).to.be.below(650);
  });

  it('gives up on steps that are not hit before it closes', async () => {
    const never = proxy.at({ command: 'never', when: 'after' }, () => undefined);
    const held = proxy.hold({ command: 'never', when: 'after' });
    await proxy.close();
    expect(await never.catch(fail)).to.have.property('message', 'the proxy was closed');
    expect(await held.catch(fail)).to.have.property('message', 'the proxy was closed');
  });

  it('says so when it cannot read what it passes', async () => {
    const hit = proxy.at({ command: 'get', when: 'after' }, () => undefined);
    const subscriber = openRedis({
      url: listAddresses(proxy.url),
      connectionName: 'subscriber',
      commandTimeoutMs: 1_000,
    });
    await until(() => subscriber.status === 'ready', { withinMs: 2_000, what: 'the subscriber' });
    await subscriber.subscribe('channel').catch(fail);
    subscriber.disconnect();
    expect(await hit.catch(fail))
      .to.have.property('message')
      .that.contains('subscribe');
  });
});

describe('support/fault-proxy before Postgres', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let direct: PostgresClient;
  let proxy: FaultProxy;
  let client: PostgresClient;

  before(async () => {
    database = await makeDatabase();
    direct = await connect(database.url);
    await direct.query('create table step (number integer primary key)');
  });
  beforeEach(async () => {
    await direct.query('delete from step');
    proxy = await startFaultProxy(database.url);
    client = await connect(proxy.url);
  });
  afterEach(async () => {
    await client.end().catch(fail);
    await proxy.close();
  });
  after(async () => {
    await direct.end();
    await database.drop();
  });

  async function insert(number: number): Promise<void> {
    await client.query('begin');
    await client.query('insert into step values ($1)', [number]);
    await client.query('commit');
  }

  async function readNumbers(): Promise<number[]> {
    const { rows } = await direct.query<{ number: number }>('select number from step order by 1');
    return rows.map(({ number }) => number);
  }

  it('before commit, cut: nothing is there', async () => {
    const hit = proxy.at({ command: 'commit', nth: 2, when: 'before' }, ({ cut }) => {
      cut();
    });
    await insert(1);
    expect(await insert(2).catch(fail)).to.be.instanceOf(Error);
    await hit;
    await until(
      async () => {
        const { rowCount } = await direct.query(
          `select from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()`,
        );
        return rowCount === 0;
      },
      { withinMs: 2_000, what: 'Postgres to know that the client is gone' },
    );
    expect(await readNumbers()).to.deep.equal([1]);
  });

  it('after commit, cut: it is there, and the client never heard', async () => {
    const hit = proxy.at({ command: 'commit', when: 'after' }, async ({ cut }) => {
      expect(await readNumbers()).to.deep.equal([3]);
      cut();
    });
    expect(await insert(3).catch(fail)).to.be.instanceOf(Error);
    await hit;
    expect(await readNumbers()).to.deep.equal([3]);
  });

  it('finds a statement by its parameters, prepared before or not', async () => {
    const add = (number: number): Promise<unknown> =>
      client.query({ name: 'add', text: 'insert into step values ($1)', values: [number] });
    await add(1);
    const held = proxy.hold({
      command: 'insert into step',
      when: 'after',
      filter: ([, number]) => number === '3',
    });
    await add(2);
    const outcome = add(3);
    const step = await held;
    expect(await readNumbers()).to.deep.equal([1, 2, 3]);
    step.cut();
    expect(await outcome.catch(fail)).to.be.instanceOf(Error);
  });

  it('delivers a held reply whole, rows and all', async () => {
    await insert(1);
    const held = proxy.hold({ command: 'select', when: 'after' });
    const outcome = client.query('select number, repeat($1, 100000) as text from step', ['x']);
    (await held).pass();
    const { rows } = await outcome;
    expect(rows).to.deep.equal([{ number: 1, text: 'x'.repeat(100_000) }]);
  });

  it('is silent, and back for new connections alone: nobody tells the old ones', async () => {
    let ended = false;
    client.once('end', () => (ended = true));
    proxy.blackhole();
    const unheard = insert(1).catch(fail);
    proxy.passNew();
    const second = await connect(proxy.url);
    await second.query('insert into step values (2)');
    await second.end();
    expect(await readNumbers()).to.deep.equal([2]);
    expect(ended).to.equal(false);
    await proxy.close();
    expect(await unheard).to.be.instanceOf(Error);
  });

  it('hits the beginning of a connection, and passes on what comes by itself', async () => {
    const held = proxy.hold({ command: 'startup', when: 'after' });
    const second = makeClient({ url: proxy.url, applicationName: 'test', timeoutMs: 5_000 });
    const connected = second.connect();
    (await held).pass();
    await connected;
    const told = Promise.withResolvers<string | undefined>();
    second.on('notification', ({ payload }) => {
      told.resolve(payload);
    });
    await second.query('listen told');
    await direct.query(`notify told, 'now'`);
    expect(await told.promise).to.equal('now');
    await second.end();
  });
});
