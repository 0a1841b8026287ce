import { expect } from 'chai';
import { deleteExpiredPrompts } from '../../../lib/retention/delete-expired-prompts.ts';
import { startPruning } from '../../../lib/retention/prune-loop.ts';
import { makeClient } from '../../../lib/store/postgres.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { insertKey, insertTenant } from '../../support/schema-rows.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';
import { until } from '../../support/until.ts';

describe('retention/delete-expired-prompts', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let sql: PostgresClient;
  let ids: { readonly tenantId: string; readonly keyId: string };

  beforeEach(async () => {
    database = await makeDatabase();
    sql = await connect(database.url);
    const tenantId = await insertTenant(sql);
    ids = { tenantId, keyId: await insertKey(sql, tenantId) };
  });
  afterEach(async () => {
    await sql.end();
    await database.drop();
  });

  async function write(count: number, expires: string): Promise<void> {
    await sql.query(
      `insert into gateway.prompt_log (id, tenant_id, key_id, created_at, expires_at, nonce, sealed)
       select gen_random_uuid(), $1, $2, now() - interval '8 days', now() + $4::interval,
         decode(repeat('00', 12), 'hex'), ''
       from generate_series(1, $3)`,
      [ids.tenantId, ids.keyId, count, expires],
    );
  }

  async function count(): Promise<number> {
    const { rows } = await sql.query<{ count: number }>(
      'select count(*) as count from gateway.prompt_log',
    );
    return rows[0]?.count ?? -1;
  }

  it('takes away what has had its days, some at a time, and nothing else', async () => {
    await write(1_200, '-1 second');
    await write(3, '1 hour');
    expect(await deleteExpiredPrompts(sql)).to.equal(500);
    expect(await deleteExpiredPrompts(sql)).to.equal(500);
    expect(await deleteExpiredPrompts(sql)).to.equal(200);
    expect(await deleteExpiredPrompts(sql)).to.equal(0);
    expect(await count()).to.equal(3);
  });

  it('is shared with another gateway that does the same: none is deleted twice', async () => {
    await write(600, '-1 second');
    const other = await connect(database.url);
    const both = await Promise.all([deleteExpiredPrompts(sql), deleteExpiredPrompts(other)]);
    await other.end();
    expect(both[0] + both[1] + (await count())).to.equal(600);
  });

  it('is done again and again by the role that the gateway has', async () => {
    await write(700, '-1 second');
    const troubles: unknown[] = [];
    const pruning = startPruning({
      makeClient: () => {
        const url = new URL(database.url);
        url.searchParams.set('options', '-c role=gateway_runtime');
        return makeClient({ url: url.href, applicationName: 'pruning', timeoutMs: 5_000 });
      },
      everyMs: 20,
      prune: deleteExpiredPrompts,
      onTrouble: (error) => {
        troubles.push(error);
      },
    });
    await until(async () => (await count()) === 0, { withinMs: 5_000, what: 'the end' });
    await write(1, '-1 second');
    await until(async () => (await count()) === 0, { withinMs: 5_000, what: 'another round' });
    await pruning.stop();
    expect(troubles).to.deep.equal([]);
  });
});
