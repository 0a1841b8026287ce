import { expect } from 'chai';
import { insertPrompt } from '../../../lib/promptlog/insert-prompt.ts';
import { createKey } from '../../../lib/tenants/create-key.ts';
import { createTenant } from '../../../lib/tenants/create-tenant.ts';
import { NO_LIMITS } from '../../../lib/tenants/limit-columns.ts';
import { revokeKey } from '../../../lib/tenants/revoke-key.ts';
import { updateKey } from '../../../lib/tenants/update-key.ts';
import { setTenantStatus, updateTenant } from '../../../lib/tenants/update-tenant.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

const TENANT = {
  slug: 'acme',
  name: 'Acme',
  allowAllModels: false,
  allowedModels: ['m'],
  allowRuntimeOptions: false,
  maxNumCtx: null,
  auditRetentionDays: 90,
  limits: NO_LIMITS,
};

const KEY = {
  publicId: 'aaaaaaaaaaaa',
  hash: '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA',
  secretTag: Buffer.alloc(16),
  name: '',
  expiresAt: null,
  allowAllModels: null,
  allowedModels: null,
  limits: NO_LIMITS,
};

describe('tenants: roles', function () {
  this.timeout(30_000);
  let database: TestDatabase;

  before(async () => {
    database = await makeDatabase();
  });

  after(() => database.drop());

  it('gateway_admin is enough for every act: nzgw needs no superuser', async () => {
    const client = await connect(database.url);
    await client.query('set role gateway_admin');
    const tenant = await createTenant(client, TENANT);
    await updateTenant(client, 'acme', { name: 'New', limits: { concurrency: 2 } });
    await setTenantStatus(client, 'acme', 'suspended');
    await createKey(client, tenant, KEY);
    await updateKey(client, KEY.publicId, { name: 'new', limits: { concurrency: 1 } });
    const { key } = await revokeKey(client, KEY.publicId, 'done');
    await client.end();
    expect(key).to.include({ status: 'revoked', name: 'new', tenantStatus: 'suspended' });
  });

  it('gateway_runtime may write the prompt log of a key, and only of one that wants it', async () => {
    const client = await connect(database.url);
    const tenant = await createTenant(client, { ...TENANT, slug: 'logged' });
    const wants = { ...KEY, publicId: 'bbbbbbbbbbbb', promptLog: true, promptLogDays: 2 };
    const made = [
      await createKey(client, tenant, wants),
      await createKey(client, tenant, { ...wants, publicId: 'cccccccccccc', promptLog: false }),
    ];
    const rows = made.map(({ id: keyId }, index) => ({
      id: `00000000-0000-7000-8000-00000000000${index}`,
      tenantId: tenant.id,
      keyId,
      cut: false,
      nonce: Buffer.alloc(12),
      sealed: Buffer.alloc(20),
    }));
    await client.query('set role gateway_runtime');
    for (const row of [...rows, ...rows]) await insertPrompt(client, row);
    const { rows: found } = await client.query(
      `select key_id, expires_at - created_at = interval '2 days' as for_two_days
       from gateway.prompt_log`,
    );
    await client.end();
    expect(found).to.deep.equal([{ key_id: made[0]?.id, for_two_days: true }]);
  });

  it('gateway_runtime, which serves requests, may make no tenant', async () => {
    const client = await connect(database.url);
    await client.query('set role gateway_runtime');
    const error: unknown = await createTenant(client, { ...TENANT, slug: 'other' }).catch(
      (reason: unknown) => reason,
    );
    await client.end();
    expect(error).to.include({ code: '42501' });
  });
});
