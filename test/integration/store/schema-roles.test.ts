import { expect } from 'chai';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { readSqlState } from '../../../lib/store/postgres.ts';
import { SOME_HASH, insertKey, insertTenant } from '../../support/schema-rows.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

const DENIED = '42501';
const NEW_KEY = `insert into gateway.api_keys (tenant_id, public_id, hash)
  select id, 'abcdefghijkl', '${SOME_HASH}' from gateway.tenants limit 1`;
const AUDIT_ROW = `insert into gateway.audit_log (id, admitted_at, tenant_id, key_id, dialect, endpoint,
    status, outcome, count_source, duration_ms, streamed)
  values (gen_random_uuid(), '2026-01-02T03:04:05Z', gen_random_uuid(), gen_random_uuid(), 'native',
    'chat', 200, 'ok', 'reported', 1, true)
  on conflict (admitted_at, id) do update set outcome = excluded.outcome
    where audit_log.outcome = 'lost' returning charged_tokens`;
const LEDGER_ROW = `insert into gateway.token_ledger (tenant_id, key_id, model, day, requests)
  select tenant_id, id, 'm', '2026-01-02', 1 from gateway.api_keys
  on conflict (tenant_id, key_id, model, day) do update set requests = token_ledger.requests + 1`;

const MAY: Readonly<Record<string, readonly string[]>> = {
  gateway_runtime: [
    'select hash, secret_tag from gateway.api_keys',
    'select 1 from gateway.tenants, gateway.tenant_limits, gateway.key_limits, gateway.revocations',
    `update gateway.api_keys set hash = '${SOME_HASH}x', secret_tag = decode(repeat('00', 16), 'hex')`,
    `select gateway.ensure_audit_day('2026-01-04')`,
    AUDIT_ROW,
    'lock table only gateway.audit_log in row exclusive mode',
    `select gateway.delete_audit_rows('2026-01-02', '2026-06-01', 10)`,
    `select gateway.drop_audit_day('2026-01-02', '2026-06-01')`,
    `insert into gateway_meta.sweeps (day) values ('2026-06-01')
       on conflict (single) do update set day = excluded.day`,
    LEDGER_ROW,
    'update gateway.token_ledger set sealed = true',
    'delete from gateway.prompt_log',
    `insert into gateway_meta.rejected_events (shard, event, sqlstate) values (0, '{}', '22008')`,
    'select id from gateway_meta.migrations',
    'select shards from gateway_meta.settings',
  ],
  gateway_console: [
    `insert into gateway.tenants (slug, name) values ('made-by-console', 'x')`,
    `update gateway.tenants set status = 'suspended'`,
    NEW_KEY,
    `update gateway.api_keys set name = 'x', expires_at = now()`,
    'insert into gateway.key_limits (key_id, concurrency) select id, 1 from gateway.api_keys',
    'delete from gateway.key_limits',
    `insert into gateway.revocations (key_id, reason) select id, 'x' from gateway.api_keys limit 1`,
    'select public_id, status, version from gateway.api_keys',
    'select id, expires_at from gateway.prompt_log',
    'select 1 from gateway.audit_log, gateway.token_ledger, gateway_meta.rejected_events',
  ],
  gateway_admin: [
    'select hash from gateway.api_keys',
    'select sealed from gateway.prompt_log',
    `update gateway.api_keys set name = 'by admin'`,
    'delete from gateway_meta.rejected_events',
    `select gateway.ensure_audit_day('2026-01-05')`,
    `select gateway.drop_audit_day('2026-01-02', '2026-06-01')`,
  ],
};

const MAY_NOT: Readonly<Record<string, readonly string[]>> = {
  gateway_runtime: [
    `update gateway.api_keys set status = 'active'`,
    `update gateway.tenants set name = 'x'`,
    `insert into gateway.tenants (slug, name) values ('made-by-runtime', 'x')`,
    NEW_KEY,
    'insert into gateway.revocations (key_id) select id from gateway.api_keys',
    'update gateway.key_limits set concurrency = null',
    'delete from gateway.tenant_limits',
    'update gateway.api_keys set allow_all_models = true, expires_at = null',
    'delete from gateway.audit_log',
    'drop table gateway.audit_log_20260102',
    'delete from gateway.token_ledger',
    'delete from gateway.revocations',
    'update gateway_meta.settings set shards = 2',
    'select 1 from gateway.audit_log_20260102',
    'create table gateway.mine (id integer)',
  ],
  gateway_console: [
    'select hash from gateway.api_keys',
    'select * from gateway.api_keys',
    'select sealed from gateway.prompt_log',
    `update gateway.api_keys set hash = '${SOME_HASH}'`,
    'update gateway.api_keys set version = 1',
    `insert into gateway.revocations (key_id, xid) select id, '1' from gateway.api_keys`,
    `insert into gateway.revocations (key_id, kind) select id, 'change' from gateway.api_keys`,
    AUDIT_ROW,
    'delete from gateway.tenants',
    `select gateway.ensure_audit_day('2026-01-06')`,
    `select gateway.delete_audit_rows('2026-01-02', '2026-06-01', 10)`,
    `select gateway.drop_audit_day('2026-01-02', '2026-06-01')`,
    'select day from gateway_meta.sweeps',
  ],
  gateway_admin: [
    'update gateway_meta.settings set shards = 2',
    'delete from gateway_meta.migrations',
    'delete from gateway.tenants',
    'delete from gateway.api_keys',
    'delete from gateway.revocations',
    `update gateway.revocations set kind = 'change'`,
    'drop table gateway.prompt_log',
  ],
};

describe('store/schema-roles', () => {
  let database: TestDatabase;
  let client: PostgresClient;

  before(async function () {
    this.timeout(30_000);
    database = await makeDatabase();
    client = await connect(database.url);
    await insertKey(client, await insertTenant(client));
    await client.query(`select gateway.ensure_audit_day('2026-01-02')`);
  });

  after(async () => {
    await client.end();
    await database.drop();
  });

  for (const [role, statements] of Object.entries(MAY)) {
    for (const sql of statements) {
      it(`lets ${role} ${toTitle(sql)}`, async () => {
        expect(await attempt(role, sql)).to.equal('done');
      });
    }
  }

  for (const [role, statements] of Object.entries(MAY_NOT)) {
    for (const sql of statements) {
      it(`does not let ${role} ${toTitle(sql)}`, async () => {
        expect(await attempt(role, sql)).to.equal(DENIED);
      });
    }
  }

  it('shows nothing to a user without any of the roles', async () => {
    await client.query('create role gateway_test_stranger nologin').catch(() => undefined);
    expect(await attempt('gateway_test_stranger', 'select 1 from gateway.tenants')).to.equal(
      DENIED,
    );
  });

  async function attempt(role: string, sql: string): Promise<string | undefined> {
    await client.query('begin');
    try {
      await client.query(`set local role ${role}`);
      await client.query(sql);
      return 'done';
    } catch (error) {
      return readSqlState(error);
    } finally {
      await client.query('rollback');
    }
  }

  function toTitle(sql: string): string {
    return sql.replaceAll(/\s+/g, ' ').slice(0, 90);
  }
});
