import { expect } from 'chai';
import { compareAudit } from '../../../lib/inspection/compare-audit.ts';
import { startSweeper } from '../../../lib/retention/sweep-loop.ts';
import type { Sweeper, SweeperParts } from '../../../lib/retention/sweep-loop.ts';
import type { Swept } from '../../../lib/retention/sweep.ts';
import { tryLockSweep } from '../../../lib/retention/sweep-session.ts';
import { readSqlState } from '../../../lib/store/postgres.ts';
import type { Connection } from '../../../lib/store/postgres.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { openRetentionWorld } from '../../support/retention-world.ts';
import type { Account, RetentionWorld } from '../../support/retention-world.ts';
import { until } from '../../support/until.ts';

describe('retention/sweep-loop', function () {
  this.timeout(30_000);
  let world: RetentionWorld;
  let brief: Account;
  let running: Sweeper[];
  let sweeps: Swept[];
  let troubles: unknown[];
  let rounds: number;
  /** Days that the host's clock is behind. */
  let behind: number;

  beforeEach(async () => {
    world = await openRetentionWorld();
    brief = await world.makeAccount(1);
    await world.makeAccount(90);
    [running, sweeps, troubles, rounds, behind] = [[], [], [], 0, 0];
  });
  afterEach(async () => {
    await Promise.all(running.map((sweeper) => sweeper.stop()));
    await world.close();
  });

  function start(changes: Partial<SweeperParts> = {}): Sweeper {
    const sweeper = startSweeper({
      makeClient: () => {
        rounds += 1;
        return world.makeRuntimeClient();
      },
      clock: systemClock,
      readWallMs: () => Promise.resolve(Date.parse(`${world.day(behind)}T00:00:01Z`)),
      everyMs: 10,
      soonMs: 10,
      maySweep: () => true,
      onSwept: (swept) => sweeps.push(swept),
      onTrouble: (error) => troubles.push(error),
      ...changes,
    });
    running.push(sweeper);
    return sweeper;
  }

  const untilSwept = (count: number): Promise<unknown> =>
    until(() => sweeps.length >= count, { withinMs: 10_000, what: `${count} sweeps` });
  const untilRounds = (count: number): Promise<unknown> => {
    const wanted = rounds + count;
    return until(() => rounds >= wanted, { withinMs: 10_000, what: `${count} more rounds` });
  };
  const addPrompt = (): Promise<unknown> =>
    world.sql.query(
      `insert into gateway.prompt_log (id, tenant_id, key_id, created_at, expires_at, nonce, sealed)
       values (gen_random_uuid(), $1, $2, now() - interval '8 days', now() - interval '1 second',
         decode(repeat('00', 12), 'hex'), '')`,
      [brief.tenantId, brief.keyId],
    );
  const countPrompts = async (): Promise<number> =>
    (await world.sql.query('select 1 from gateway.prompt_log')).rows.length;
  const endSessions = (): Promise<unknown> =>
    world.sql.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'sweeper'`,
    );

  it('sweeps at once, whatever days were missed, and then once a day', async () => {
    behind = 4;
    await world.addRows(brief, 6);
    await world.addRows(brief, 5);
    start();
    await untilSwept(1);
    await untilRounds(5);
    expect(sweeps.map(({ today, auditRows }) => [today, auditRows])).to.deep.equal([
      [world.day(4), 1],
    ]);
    behind = 1;
    await untilSwept(2);
    await untilRounds(5);
    expect(sweeps.slice(1).map(({ today, auditRows }) => [today, auditRows])).to.deep.equal([
      [world.day(1), 1],
    ]);
    expect(await world.readRows(brief)).to.deep.equal([]);
    expect(troubles).to.deep.equal([]);
  });

  it('sweeps the audit log though prompts cannot be deleted, and tells of both', async () => {
    await world.sql.query('revoke delete on gateway.prompt_log from gateway_runtime');
    await world.addRows(brief, 5);
    const sweeper = start();
    await untilSwept(1);
    expect(sweeps[0]).to.deep.include({ auditRows: 1, finished: false });
    expect(troubles.map(readSqlState).slice(0, 2)).to.deep.equal(['42501', '42501']);
    expect(sweeper.sweptAtMs).to.equal(null);
  });

  it('remembers in Postgres what was done, for every gateway that starts', async () => {
    const first = start();
    await untilSwept(1);
    await first.stop();
    const second = start();
    expect(second.sweptAtMs).to.equal(null);
    await untilRounds(5);
    const ageMs = systemClock.monotonicMs() - (second.sweptAtMs ?? -Infinity);
    expect(ageMs).to.be.within(0, 10_000);
    expect(sweeps).to.have.length(1);
    await world.sql.query('delete from gateway_meta.sweeps');
    await untilSwept(2);
  });

  it('sweeps again where clocks that were wrong have noted a day that is far ahead', async () => {
    await world.sql.query(
      `insert into gateway_meta.sweeps (day, finished_at) values ($1, now() + interval '30 days')`,
      [world.day(-30)],
    );
    const sweeper = start();
    await untilSwept(1);
    await untilRounds(5);
    expect(sweeps.map(({ today }) => today)).to.deep.equal([world.day(0)]);
    const ageMs = systemClock.monotonicMs() - (sweeper.sweptAtMs ?? Infinity);
    expect(ageMs).to.be.within(0, 10_000);
  });

  it('sweeps nothing while nobody can tell the time, but deletes prompts', async () => {
    await world.addRows(brief, 5);
    await addPrompt();
    start({ readWallMs: () => Promise.reject(new Error('Redis is away')) });
    await untilRounds(4);
    expect([await countPrompts(), sweeps.length]).to.deep.equal([0, 0]);
    expect(troubles).to.not.deep.equal([]);
    expect(await world.readRows(brief)).to.deep.equal(['5:1']);
  });

  it('takes the day of a gateway that is past midnight already for swept', async () => {
    await world.sql.query('insert into gateway_meta.sweeps (day) values ($1)', [world.day(-1)]);
    start();
    await untilRounds(5);
    expect(sweeps).to.deep.equal([]);
  });

  it('leaves it to another that has the lock, and goes on without waiting', async () => {
    await world.addRows(brief, 5);
    await addPrompt();
    expect(await tryLockSweep(world.client)).to.equal(true);
    start();
    start();
    await untilRounds(8);
    expect(sweeps).to.deep.equal([]);
    expect(await countPrompts()).to.equal(0);
    expect(await world.readRows(brief)).to.deep.equal(['5:1']);
    await world.client.end();
    await untilSwept(1);
    await untilRounds(6);
    expect(sweeps).to.have.length(1);
    expect(troubles).to.deep.equal([]);
  });

  it('has one of several at work, whose sum is right', async () => {
    await world.addRows(brief, 5, 4_500);
    for (let n = 0; n < 4; n += 1) start();
    await untilSwept(1);
    await untilRounds(8);
    expect(sweeps.map(({ auditRows }) => auditRows)).to.deep.equal([4_500]);
    expect(troubles).to.deep.equal([]);
  });

  it('sweeps nothing while Redis may have entries of old days, but deletes prompts', async () => {
    let may = false;
    await world.addRows(brief, 5);
    await addPrompt();
    start({ maySweep: () => may });
    await untilRounds(4);
    expect([await countPrompts(), sweeps.length]).to.deep.equal([0, 0]);
    expect(await world.readRows(brief)).to.deep.equal(['5:1']);
    may = true;
    await untilSwept(1);
  });

  it('goes on where its connection was ended between batches: nothing is lost or counted twice', async () => {
    await world.addRows(brief, 5, 7_000);
    let batches = 0;
    start({
      makeClient: () => {
        const client = world.makeRuntimeClient();
        const query = client.query.bind(client);
        const cutThird = async (text: string, values?: unknown[]): Promise<unknown> => {
          const isBatch = text.includes('delete_audit_rows');
          if (isBatch && (batches += 1) === 3) await endSessions();
          return query(text, values);
        };
        return Object.assign(client, { query: cutThird as Connection['query'] });
      },
    });
    await untilSwept(1);
    expect(troubles).to.have.length(1);
    expect(sweeps.map(({ finished, auditRows }) => [finished, auditRows])).to.deep.equal([
      [true, 3_000],
    ]);
    expect(await world.readRows(brief)).to.deep.equal([]);
    expect(await world.readLedger(brief)).to.deep.equal(['5:21000 sealed']);
    expect((await compareAudit(world.sql)).problems).to.deep.equal([]);
  });

  it('ends between two batches when it is stopped, and holds nothing after', async () => {
    await world.addRows(brief, 5, 7_000);
    let asked = 0;
    let stopped: Promise<void> | undefined;
    const sweeper = start({
      maySweep: () => {
        asked += 1;
        if (asked === 14) stopped = sweeper.stop();
        return true;
      },
    });
    await untilSwept(1);
    await stopped;
    expect(sweeps.map(({ finished }) => finished)).to.deep.equal([false]);
    expect(await world.readRows(brief)).to.not.deep.equal([]);
    expect(await tryLockSweep(world.client)).to.equal(true);
  });

  it('gives prompts their turn again where a sweep takes long, and then goes on at once', async () => {
    await world.addRows(brief, 5, 7_000);
    let nowMs = 0;
    const monotonicMs = (): number => (nowMs += 5_000);
    start({ clock: { monotonicMs }, everyMs: 60_000 });
    await until(() => sweeps.at(-1)?.finished === true, { withinMs: 10_000, what: 'the end' });
    expect(sweeps.length).to.be.above(1);
    expect(sweeps.reduce((sum, { auditRows }) => sum + auditRows, 0)).to.equal(7_000);
  });
});
