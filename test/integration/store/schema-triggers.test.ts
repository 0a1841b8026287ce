import { expect } from 'chai';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { insertKey, insertTenant } from '../../support/schema-rows.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';
import { until } from '../../support/until.ts';

interface Change {
  readonly kind: string;
  readonly key_id: string | null;
  readonly tenant_id: string | null;
}

describe('store/schema-triggers', () => {
  let database: TestDatabase;
  let client: PostgresClient;
  let tenantId: string;
  let keyId: string;

  before(async function () {
    this.timeout(30_000);
    database = await makeDatabase();
    client = await connect(database.url);
  });

  beforeEach(async () => {
    tenantId = await insertTenant(client);
    keyId = await insertKey(client, tenantId);
    await client.query('truncate gateway.revocations');
  });

  after(async () => {
    await client.end();
    await database.drop();
  });

  it('logs a new tenant and a new key once each, so that the gateways come to know them', async () => {
    const tenant = await insertTenant(client);
    const key = await insertKey(client, tenant);
    expect(await readChanges()).to.deep.equal([
      { kind: 'change', key_id: null, tenant_id: tenant },
      { kind: 'change', key_id: key, tenant_id: null },
    ]);
  });

  it('raises the version of a changed tenant and logs it once', async () => {
    await client.query(`update gateway.tenants set status = 'suspended' where id = $1`, [tenantId]);
    expect(await readVersion('tenants', tenantId)).to.equal(2);
    expect(await readChanges()).to.deep.equal([
      { kind: 'change', key_id: null, tenant_id: tenantId },
    ]);
  });

  it('raises the version even if the writer tries to set one', async () => {
    await client.query(`update gateway.api_keys set version = 1, name = 'x' where id = $1`, [
      keyId,
    ]);
    expect(await readVersion('api_keys', keyId)).to.equal(2);
  });

  it('takes no notice of an update that changes nothing', async () => {
    await client.query(`update gateway.tenants set name = name where id = $1`, [tenantId]);
    await client.query(`update gateway.api_keys set name = name where id = $1`, [keyId]);
    expect(await readVersion('tenants', tenantId)).to.equal(1);
    expect(await readChanges()).to.deep.equal([]);
  });

  it('counts a change of limits as a change of their owner, for insert, update and delete', async () => {
    for (const [table, column, id, owner] of [
      ['key_limits', 'key_id', keyId, 'api_keys'],
      ['tenant_limits', 'tenant_id', tenantId, 'tenants'],
    ] as const) {
      await client.query(`insert into gateway.${table} (${column}) values ($1)`, [id]);
      await client.query(`update gateway.${table} set concurrency = 3 where ${column} = $1`, [id]);
      await client.query(`update gateway.${table} set concurrency = 3 where ${column} = $1`, [id]);
      await client.query(`delete from gateway.${table} where ${column} = $1`, [id]);
      expect(await readVersion(owner, id), table).to.equal(4);
    }
    expect(await readChanges()).to.have.length(6);
  });

  it('tells both owners when limits move from one to the other', async () => {
    const other = await insertKey(client, tenantId);
    await client.query('insert into gateway.key_limits (key_id, concurrency) values ($1, 1)', [
      keyId,
    ]);
    await client.query('update gateway.key_limits set key_id = $1', [other]);
    expect(await readVersion('api_keys', keyId)).to.equal(3);
    expect(await readVersion('api_keys', other)).to.equal(2);
  });

  it('marks a key revoked in the transaction of the insert, and not after a rollback', async () => {
    await client.query('begin');
    await client.query('insert into gateway.revocations (key_id) values ($1)', [keyId]);
    expect(await readStatus(keyId)).to.equal('revoked');
    await client.query('rollback');
    expect(await readStatus(keyId)).to.equal('active');
  });

  it('notes who revoked, why, and when the key ended', async () => {
    await client.query(`insert into gateway.revocations (key_id, reason) values ($1, 'leaked')`, [
      keyId,
    ]);
    const { rows } = await client.query(
      `select r.reason, r.created_by, k.revoked_at = r.created_at as together
         from gateway.revocations r join gateway.api_keys k on k.id = r.key_id
         where r.kind = 'revocation'`,
    );
    expect(rows).to.deep.equal([{ reason: 'leaked', created_by: 'gw', together: true }]);
  });

  it('revokes every key of a tenant, and leaves those of others', async () => {
    const second = await insertKey(client, tenantId);
    const foreign = await insertKey(client, await insertTenant(client));
    await client.query('insert into gateway.revocations (tenant_id) values ($1)', [tenantId]);
    expect(await readStatus(keyId)).to.equal('revoked');
    expect(await readStatus(second)).to.equal('revoked');
    expect(await readStatus(foreign)).to.equal('active');
  });

  it('accepts a second revocation and leaves the time of the first', async () => {
    const revoke = 'insert into gateway.revocations (key_id) values ($1)';
    await client.query(revoke, [keyId]);
    const version = await readVersion('api_keys', keyId);
    await client.query(revoke, [keyId]);
    expect(await readVersion('api_keys', keyId)).to.equal(version);
  });

  for (const [what, sql] of [
    ['a new id of a tenant', 'update gateway.tenants set id = gen_random_uuid()'],
    ['a new id of a key', 'update gateway.api_keys set id = gen_random_uuid()'],
    ['another public id', `update gateway.api_keys set public_id = 'abcdefghijkl' where id = $1`],
    ['another tenant of a key', 'update gateway.api_keys set tenant_id = gen_random_uuid()'],
    ['the end of a key by delete', 'delete from gateway.api_keys'],
    ['the end of a tenant by delete', 'delete from gateway.tenants'],
    ['the end of all keys by truncate', 'truncate gateway.api_keys cascade'],
    ['the end of all tenants by truncate', 'truncate gateway.tenants cascade'],
  ] as const) {
    it(`refuses ${what} even to its owner: gateways would go on believing the row`, async () => {
      const error = await client
        .query(sql, sql.includes('$1') ? [keyId] : [])
        .catch((e: unknown) => e);
      expect(error).to.have.property('code', '23001');
      expect(error).to.have.property('hint').that.includes('gateway.revocations');
    });
  }

  it('notifies of the kind alone, once the transaction is committed', async () => {
    const listener = await connect(database.url);
    const heard: (string | undefined)[] = [];
    listener.on('notification', ({ payload }) => heard.push(payload));
    await listener.query('listen nzgw_changes');

    await client.query('insert into gateway.revocations (key_id) values ($1)', [keyId]);
    await until(() => heard.length >= 2, { withinMs: 2_000, what: 'both notifications' });
    await listener.end();
    expect(heard.sort()).to.deep.equal(['change', 'revocation']);
  });

  it('lets a reader find rows that were committed out of order, by xid and not by id', async () => {
    const slow = await connect(database.url);
    await slow.query('begin');
    await slow.query('insert into gateway.revocations (key_id) values ($1)', [keyId]);
    const quick = await insertKey(client, tenantId);

    const first = await readFrom('0');
    expect(first.keys).to.include(quick).and.not.include(keyId);
    await slow.query('commit');
    await slow.end();
    const second = await readFrom(first.xmin);
    expect(second.keys).to.include(keyId);
  });

  async function readFrom(watermark: string): Promise<{ xmin: string; keys: (string | null)[] }> {
    const { rows } = await client.query<{ xmin: string; keys: (string | null)[] }>(
      `select pg_snapshot_xmin(pg_current_snapshot())::text as xmin,
              array(select key_id::text from gateway.revocations where xid >= $1::xid8) as keys`,
      [watermark],
    );
    return rows[0] ?? { xmin: '', keys: [] };
  }

  async function readChanges(): Promise<Change[]> {
    const { rows } = await client.query<Change>(
      'select kind, key_id, tenant_id from gateway.revocations order by id',
    );
    return rows;
  }

  async function readVersion(table: 'tenants' | 'api_keys', id: string): Promise<number> {
    const { rows } = await client.query<{ version: number }>(
      `select version from gateway.${table} where id = $1`,
      [id],
    );
    return rows[0]?.version ?? 0;
  }

  async function readStatus(id: string): Promise<string | undefined> {
    const { rows } = await client.query<{ status: string }>(
      'select status from gateway.api_keys where id = $1',
      [id],
    );
    return rows[0]?.status;
  }
});
