import { expect } from 'chai';
import { readChanges } from '../../lib/revocation/read-changes.ts';
import { readDirectory } from '../../lib/revocation/read-directory.ts';
import { startPruning } from '../../lib/retention/prune-loop.ts';
import { pruneChanges } from '../../lib/revocation/prune-changes.ts';
import { makeClient } from '../../lib/store/postgres.ts';
import type { PostgresClient } from '../../lib/store/postgres.ts';
import { insertKey, insertTenant } from '../support/schema-rows.ts';
import { connect, makeDatabase } from '../support/test-postgres.ts';
import type { TestDatabase } from '../support/test-postgres.ts';
import { until } from '../support/until.ts';

describe('revocation/prune-loop, gateway.prune_changes', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let sql: PostgresClient;
  let keyId: string;

  beforeEach(async () => {
    database = await makeDatabase();
    sql = await connect(database.url);
    keyId = await insertKey(sql, await insertTenant(sql));
  });
  afterEach(async () => {
    await sql.end();
    await database.drop();
  });

  async function prune(): Promise<number> {
    const { rows } = await sql.query<{ pruned: number }>(
      'select gateway.prune_changes() as pruned',
    );
    return rows[0]?.pruned ?? -1;
  }

  async function change(times: number): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      await sql.query('update gateway.api_keys set name = $1', [`name ${time}`]);
    }
  }

  /** As if the past had been longer ago. */
  async function age(minutes: number): Promise<void> {
    const by = `interval '${minutes} minutes'`;
    await sql.query(`update gateway.revocations set created_at = created_at - ${by}`);
    await sql.query(`update gateway_meta.log_marks set at = at - ${by}`);
  }

  async function count(kind: string): Promise<number> {
    const { rows } = await sql.query<{ count: number }>(
      'select count(*) from gateway.revocations where kind = $1',
      [kind],
    );
    return rows[0]?.count ?? -1;
  }

  it('takes away changes that were over an hour ago, and keeps what is younger', async () => {
    await change(3);
    expect(await prune()).to.equal(0);
    await age(59);
    expect(await prune()).to.equal(0);
    await change(2);
    await age(2);
    expect(await prune()).to.equal(5);
    expect(await count('change')).to.equal(2);
  });

  it('never takes away a revocation', async () => {
    await sql.query('insert into gateway.revocations (key_id) values ($1)', [keyId]);
    await prune();
    await age(61);
    await prune();
    expect([await count('revocation'), await count('change')]).to.deep.equal([1, 0]);
  });

  it('keeps a change of a transaction that began long ago and has ended just now', async () => {
    const slow = await connect(database.url);
    await slow.query('begin');
    await slow.query(`update gateway.tenants set name = 'slow'`);
    await prune();
    await age(61);
    await slow.query(`update gateway.revocations set created_at = created_at - interval '2 hours'
      where xid = pg_current_xact_id()`);
    await slow.query('commit');
    await slow.end();
    await prune();
    expect(await count('change')).to.equal(1);
  });

  it('believes no mark that a dump brought from a busier server, nor one from the future', async () => {
    await change(3);
    await sql.query(`insert into gateway_meta.log_marks values
      (now() - interval '2 hours', '9000000000'), (now() + interval '1 year', '1')`);
    await sql.query(`update gateway.revocations set created_at = created_at - interval '2 hours'`);
    expect(await prune()).to.equal(0);
    const { rows } = await sql.query(
      'select at <= clock_timestamp() as past from gateway_meta.log_marks',
    );
    expect(rows).to.deep.equal([{ past: true }]);
  });

  it('does a bounded part at a time, one gateway at a time', async () => {
    await sql.query(
      `insert into gateway.revocations (kind, key_id) select 'change', $1 from generate_series(1, 1500)`,
      [keyId],
    );
    await prune();
    await age(61);
    const other = await connect(database.url);
    await other.query('begin');
    await other.query('select gateway.prune_changes()');
    expect(await prune()).to.equal(0);
    await other.query('rollback');
    await other.end();
    expect([await prune(), await prune(), await prune()]).to.deep.equal([1000, 502, 0]);
  });

  it('keeps few marks however often it is asked', async () => {
    for (let round = 0; round < 100; round += 1) {
      await prune();
      await age(3);
    }
    const { rows } = await sql.query<{ count: number }>(
      'select count(*) from gateway_meta.log_marks',
    );
    expect(rows[0]?.count).to.be.within(1, 9);
  });

  it('is for the gateway, which may not delete by itself', async () => {
    await sql.query('set role gateway_runtime');
    expect(await prune()).to.equal(0);
    await sql.query('reset role');
    await sql.query('set role gateway_console');
    const error = await prune().catch((e: unknown) => e);
    expect(error).to.have.property('code', '42501');
  });

  it('lets a reader that slept for half an hour read everything anew', async () => {
    const { point } = await readDirectory(sql, 5_000);
    await change(1);
    expect((await readChanges(sql, point))?.keys).to.have.length(1);
    const asleep = { ...point, readAtMs: point.readAtMs - 29 * 60_000 };
    expect((await readChanges(sql, asleep))?.keys).to.have.length(1);
    expect(await readChanges(sql, { ...point, readAtMs: point.readAtMs - 31 * 60_000 })).to.equal(
      undefined,
    );
  });

  it('is done again and again, with one connection each time, whatever fails', async () => {
    await change(3);
    await prune();
    await age(61);
    const troubles: unknown[] = [];
    let opened = 0;
    const pruning = startPruning({
      makeClient: () => {
        opened += 1;
        const url = opened === 1 ? 'postgres://127.0.0.1:1/none' : database.url;
        return makeClient({ url, applicationName: 'pruning', timeoutMs: 1_000 });
      },
      everyMs: 20,
      prune: pruneChanges,
      onTrouble: (error) => troubles.push(error),
    });
    await until(async () => (await count('change')) === 0, { withinMs: 3_000, what: 'the end' });
    await until(() => opened > 3, { withinMs: 3_000, what: 'more rounds' });
    await pruning.stop();
    expect(troubles).to.have.length(1);
    const { rows } = await sql.query(
      `select 1 from pg_stat_activity where application_name = 'pruning'`,
    );
    expect(rows).to.deep.equal([]);
  });
});
