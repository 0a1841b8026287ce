import { expect } from 'chai';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { readSqlState } from '../../../lib/store/postgres.ts';
import { SOME_HASH, insertKey, insertTenant } from '../../support/schema-rows.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

const TENANT = `insert into gateway.tenants (slug, name`;
const AUDIT = `insert into gateway.audit_log (id, admitted_at, tenant_id, key_id, dialect, endpoint,
  status, outcome, refusal_code, count_source, duration_ms, streamed, prompt_tokens)
  values (gen_random_uuid(), '2026-01-02T03:04:05Z', gen_random_uuid(), gen_random_uuid()`;

const [, , , , SALT = '', DIGEST = ''] = SOME_HASH.split('$');

/** What a console might write by mistake, and the constraint that stops it. */
const REFUSED: readonly (readonly [string, string])[] = [
  [`${TENANT}) values ('Upper', 'x')`, 'tenants_slug_is_well_formed'],
  [`${TENANT}) values ('a', 'x')`, 'tenants_slug_is_well_formed'],
  [`${TENANT}) values ('fine', '')`, 'tenants_name_has_a_length'],
  [`${TENANT}, max_num_ctx) values ('fine', 'x', 0)`, 'tenants_max_num_ctx_is_positive'],
  [`${TENANT}, allowed_models) values ('fine', 'x', '{null}')`, 'tenants_models_are_bounded'],
  [`${TENANT}, audit_retention_days) values ('fine', 'x', 0)`, 'tenants_retention_is_sane'],
  [`${TENANT}) select slug, 'x' from gateway.tenants`, 'tenants_slug_is_unique'],
  [
    `insert into gateway.tenant_limits select id, -1 from gateway.tenants`,
    'tenant_limits_are_not_negative',
  ],
  [
    `insert into gateway.tenant_limits (tenant_id, budget_tokens) select id, 5 from gateway.tenants`,
    'tenant_limits_budget_has_a_period',
  ],
  [
    `insert into gateway.tenant_limits (tenant_id, tokens_per_minute)
       select id, 1000000000000001 from gateway.tenants`,
    'tenant_limits_are_exact_in_redis',
  ],
  [
    `insert into gateway.key_limits select id, null, -1 from gateway.api_keys`,
    'key_limits_are_not_negative',
  ],
  [
    `insert into gateway.key_limits (key_id, budget_period) select id, 'day' from gateway.api_keys`,
    'key_limits_budget_has_a_period',
  ],
  [`update gateway.api_keys set hash = 'plain'`, 'api_keys_hash_is_argon2id'],
  [
    `insert into gateway.api_keys (tenant_id, public_id, hash)
       select id, 'short', '${SOME_HASH}' from gateway.tenants`,
    'api_keys_public_id_is_well_formed',
  ],
  [`update gateway.api_keys set secret_tag = 'short'`, 'api_keys_secret_tag_has_16_bytes'],
  [`update gateway.api_keys set status = 'revoked'`, 'api_keys_revoked_has_a_time'],
  [`update gateway.api_keys set prompt_log_ttl_days = 0`, 'api_keys_ttl_is_sane'],
  [
    `insert into gateway.api_keys (tenant_id, public_id, hash)
       values (gen_random_uuid(), 'abcdefghijkl', '${SOME_HASH}')`,
    'api_keys_tenant_id_fkey',
  ],
  [`insert into gateway.revocations (reason) values ('whom?')`, 'revocations_names_one'],
  [
    `insert into gateway.revocations (key_id, tenant_id) select id, tenant_id from gateway.api_keys`,
    'revocations_names_one',
  ],
  [`${AUDIT}, 'grpc', 'chat', 200, 'ok', null, 'none', 1, true, 0)`, 'audit_log_dialect_is_known'],
  [
    `${AUDIT}, 'native', 'chat', 200, 'fine', null, 'none', 1, true, 0)`,
    'audit_log_outcome_is_known',
  ],
  [
    `${AUDIT}, 'native', 'chat', 429, 'refused', null, 'none', 1, true, 0)`,
    'audit_log_refusal_has_a_code',
  ],
  [
    `${AUDIT}, 'native', 'chat', 200, 'ok', null, 'guess', 1, true, 0)`,
    'audit_log_source_is_known',
  ],
  [
    `${AUDIT}, 'native', 'chat', 200, 'ok', null, 'none', 1, true, -1)`,
    'audit_log_tokens_are_not_negative',
  ],
  [
    `insert into gateway.prompt_log (id, tenant_id, key_id, expires_at, nonce, sealed)
       select gen_random_uuid(), tenant_id, id, now() + '1 day', 'short', '' from gateway.api_keys`,
    'prompt_log_nonce_has_12_bytes',
  ],
  [
    `insert into gateway.token_ledger (tenant_id, key_id, model, day, requests)
       select tenant_id, id, 'm', '2026-01-02', -1 from gateway.api_keys`,
    'token_ledger_sums_are_not_negative',
  ],
  [
    `insert into gateway_meta.rejected_events (shard, event, sqlstate) values (0, '', 'what')`,
    'rejected_events_sqlstate_is_one',
  ],
];

describe('store/schema-constraints', () => {
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

  for (const [sql, constraint] of REFUSED) {
    it(`refuses by ${constraint}: ${sql.replaceAll(/\s+/g, ' ').slice(-70)}`, async () => {
      const error = await fail(sql);
      expect(error).to.have.property('constraint', constraint);
    });
  }

  it('has no partition for a day that nobody asked for, so a row of it is refused', async () => {
    const sql = `${AUDIT}, 'native', 'chat', 200, 'ok', null, 'none', 1, true, 0)`;
    await client.query(sql);
    expect(readSqlState(await fail(sql.replace('2026-01-02', '2026-01-03')))).to.equal('23514');
  });

  it('makes a day of the audit log whole, by UTC, and only once', async () => {
    const zoned = await connect(database.url);
    await zoned.query(`set time zone 'Pacific/Auckland'`);
    await zoned.query(`select gateway.ensure_audit_day('2026-02-03')`);
    await zoned.query(`select gateway.ensure_audit_day('2026-02-03')`);
    await zoned.end();
    const { rows } = await client.query(`set time zone 'UTC'`).then(() =>
      client.query<{ bounds: string }>(
        `select pg_get_expr(relpartbound, oid) as bounds from pg_class
           where oid = 'gateway.audit_log_20260203'::regclass`,
      ),
    );
    expect(rows).to.deep.equal([
      { bounds: `FOR VALUES FROM ('2026-02-03 00:00:00+00') TO ('2026-02-04 00:00:00+00')` },
    ]);
  });

  it('lets two gateways make the same day at once', async () => {
    const other = await connect(database.url);
    for (let day = 1; day <= 20; day += 1) {
      const sql = `select gateway.ensure_audit_day(date '2026-03-01' + ${day})`;
      await Promise.all([client.query(sql), other.query(sql)]);
    }
    await other.end();
  });

  it('makes no partition for an absurd day, which a poisoned entry may name', async () => {
    for (const day of [`'9999-01-01'`, `'1970-01-01'`, 'null', `'infinity'`]) {
      const error = await fail(`select gateway.ensure_audit_day(${day}::date)`);
      expect(readSqlState(error), day).to.equal('22008');
    }
  });

  /** One such row, written by a console, would keep the only Argon2 thread of a worker busy. */
  for (const [from, to, constraint] of [
    ['t=2', 't=40000', 'api_keys_hash_is_argon2id'],
    ['t=2', 't=21', 'api_keys_hash_is_affordable'],
    ['t=2', 't=0', 'api_keys_hash_is_affordable'],
    ['m=19456', 'm=1048577', 'api_keys_hash_is_affordable'],
    ['m=19456', 'm=4294967295', 'api_keys_hash_is_argon2id'],
    ['m=19456', 'm=7', 'api_keys_hash_is_affordable'],
    ['p=1', 'p=17', 'api_keys_hash_is_affordable'],
    ['p=1', 'p=1,keyid=AA', 'api_keys_hash_is_argon2id'],
    ['argon2id', 'argon2i', 'api_keys_hash_is_argon2id'],
    ['v=19', 'v=16', 'api_keys_hash_is_argon2id'],
    [SALT, 'c2FsdA', 'api_keys_hash_is_argon2id'],
    [SALT, 'A'.repeat(87), 'api_keys_hash_is_argon2id'],
    [SALT, 'c29tZX NhbHQ', 'api_keys_hash_is_argon2id'],
    [DIGEST, 'aGFzaA', 'api_keys_hash_is_argon2id'],
    [DIGEST, 'A'.repeat(87), 'api_keys_hash_is_argon2id'],
    [DIGEST, `${DIGEST}\n`, 'api_keys_hash_is_argon2id'],
  ] as const) {
    it(`takes no hash with ${JSON.stringify(to).slice(0, 20)} for ${from}`, async () => {
      const error = await fail(
        `update gateway.api_keys set hash = '${SOME_HASH.replace(from, to)}'`,
      );
      expect(error).to.have.property('constraint', constraint);
    });
  }

  it('takes the dearest hash that the settings allow', async () => {
    const dear = SOME_HASH.replace('m=19456,t=2,p=1', 'm=1048576,t=20,p=16');
    await client.query('update gateway.api_keys set hash = $1', [dear]);
  });

  async function fail(sql: string): Promise<unknown> {
    return client.query(sql).then(
      () => expect.fail(`accepted: ${sql}`),
      (error: unknown) => error,
    );
  }
});
