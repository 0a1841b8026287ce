import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { ActError } from '../../../lib/tenants/act-error.ts';
import { createKey, findOpenTenant } from '../../../lib/tenants/create-key.ts';
import type { NewKey } from '../../../lib/tenants/create-key.ts';
import { createTenant } from '../../../lib/tenants/create-tenant.ts';
import { findKey, findKeyWithSecret, listKeys } from '../../../lib/tenants/find-key.ts';
import { findTenant } from '../../../lib/tenants/find-tenant.ts';
import type { Key } from '../../../lib/tenants/key.ts';
import { NO_LIMITS } from '../../../lib/tenants/limit-columns.ts';
import { revokeKey } from '../../../lib/tenants/revoke-key.ts';
import { rotateKey } from '../../../lib/tenants/rotate-key.ts';
import { updateKey } from '../../../lib/tenants/update-key.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

const TAG = randomBytes(16);
const HASH = '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA';

function next(publicId: string) {
  return { publicId, hash: HASH, secretTag: TAG };
}

describe('tenants: keys in Postgres', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let client: Awaited<ReturnType<typeof connect>>;
  let acme: { readonly id: string; readonly slug: string };

  before(async () => {
    database = await makeDatabase();
    client = await connect(database.url);
    acme = await makeTenant('acme');
  });

  after(async () => {
    await client.end();
    await database.drop();
  });

  it('keeps limits, models and expiry of a new key', async () => {
    const limits = { ...NO_LIMITS, budgetTokens: 5, budgetPeriod: 'day' } as const;
    const expiresAt = new Date('2031-01-31T00:00:00Z');
    const made = await make('aaaaaaaaaaaa', {
      limits,
      expiresAt,
      allowedModels: ['m'],
      name: '007',
    });
    const found = await findKey(client, made.id);
    expect(found).to.deep.equal(made);
    expect(found).to.deep.include({ limits, expiresAt, allowedModels: ['m'], name: '007' });
    expect(found).to.include({ tenant: 'acme', status: 'active', allowAllModels: null });
  });

  it('is found by id, public id and the start of it, with nz_ or not', async () => {
    const { id } = await make('bbbbCCCC1234');
    for (const reference of [id, 'bbbbCCCC1234', 'bbbb', 'nz_bbbbC', id.toUpperCase()]) {
      expect((await findKey(client, reference)).id, reference).to.equal(id);
    }
  });

  it('is not found by less than four characters, nor by what is no part of an id', async () => {
    await make('dddddddddddd');
    for (const reference of ['ddd', 'nz_ddd', '', 'dddd%', 'dddd____', 'DDDD']) {
      await refused(findKey(client, reference), 'key_not_found');
    }
  });

  it('does not guess between two keys that begin alike', async () => {
    await make('eeee11111111');
    await make('eeee22222222');
    await refused(findKey(client, 'eeee'), 'key_ambiguous');
    await refused(revokeKey(client, 'eeee', null), 'key_ambiguous');
  });

  it('gives hash and tag only to the check of a whole public id', async () => {
    const { id } = await make('ffffffffffff');
    const found = await findKeyWithSecret(client, 'ffffffffffff');
    expect(found?.key.id).to.equal(id);
    expect(found?.stored).to.deep.equal({ hash: HASH, secretTag: TAG.toString('hex') });
    expect(await findKeyWithSecret(client, 'ffff')).to.equal(undefined);
  });

  it('changes only what was named and raises the version for limits alone', async () => {
    const { id } = await make('gggggggggggg', { name: 'old', allowedModels: ['m'] });
    const first = await versionOf(id);
    const limited = await updateKey(client, id, { limits: { requestsPerMinute: 3 } });
    expect(limited).to.deep.include({ name: 'old', allowedModels: ['m'] });
    expect(await versionOf(id)).to.be.greaterThan(first);
    const freed = await updateKey(client, id, { allowedModels: null, name: 'new', limits: {} });
    expect(freed).to.include({ allowedModels: null, name: 'new' });
    expect(freed.limits.requestsPerMinute).to.equal(3);
  });

  it('leaves a key alone where nothing was named', async () => {
    const { id } = await make('hhhhhhhhhhhh');
    const before = await versionOf(id);
    await updateKey(client, id, { limits: {} });
    expect(await versionOf(id)).to.equal(before);
  });

  it('revokes by a row in revocations, and by another when asked again: gateways answer to it', async () => {
    const { id } = await make('iiiiiiiiiiii');
    const first = await revokeKey(client, 'iiiiiiiiiiii', 'leaked');
    const second = await revokeKey(client, id, 'again');
    expect([first, second].map(({ already }) => already)).to.deep.equal([false, true]);
    expect(Number(second.xid)).to.be.above(Number(first.xid));
    expect(first.key.status).to.equal('revoked');
    expect(second.key).to.deep.equal(first.key);
    expect(await revocationsOf(id)).to.deep.equal(['leaked', 'again']);
  });

  it('one of two who ask at the same moment hears that it was so already', async () => {
    const { id } = await make('jjjjjjjjjjjj');
    const other = await connect(database.url);
    const outcomes = await Promise.all([revokeKey(client, id, 'a'), revokeKey(other, id, 'b')]);
    await other.end();
    expect(outcomes.filter(({ already }) => already)).to.have.lengthOf(1);
    expect(await revocationsOf(id)).to.have.lengthOf(2);
  });

  it('rotates a key into one like it, and lets the old one go on for the grace', async () => {
    const limits = { ...NO_LIMITS, requestsPerMinute: 7 };
    const made = await make('rrrrrrrrrrrr', { limits, allowedModels: ['m'], name: 'ci' });
    const { key, old, xid } = await rotateKey(client, made.id, next('ssssssssssss'), 3_600);
    expect(key).to.deep.include({ limits, allowedModels: ['m'], name: 'ci', expiresAt: null });
    expect([key.publicId, key.status, old.status]).to.deep.equal([
      'ssssssssssss',
      'active',
      'active',
    ]);
    const leftMs = (old.expiresAt?.getTime() ?? 0) - Date.now();
    expect(leftMs).to.be.within(3_500_000, 3_700_000);
    expect(xid).to.equal(null);
  });

  it('does not let a rotated key live longer than it would have', async () => {
    const expiresAt = new Date(Date.now() + 60_000);
    const made = await make('tttttttttttt', { expiresAt });
    const { key, old } = await rotateKey(client, made.id, next('uuuuuuuuuuuu'), 86_400);
    expect(old.expiresAt).to.deep.equal(expiresAt);
    expect(key.expiresAt).to.deep.equal(expiresAt);
  });

  it('revokes the old key in the same statement where there is no grace', async () => {
    const made = await make('vvvvvvvvvvvv');
    const { key, old, xid } = await rotateKey(client, made.id, next('wwwwwwwwwwww'), 0);
    expect([key.status, old.status]).to.deep.equal(['active', 'revoked']);
    expect(xid).to.match(/^\d+$/);
    expect(await revocationsOf(made.id)).to.deep.equal(['rotated']);
  });

  it('rotates no key that has ended, and leaves nothing behind', async () => {
    const made = await make('xxxxxxxxxxxx');
    await revokeKey(client, made.id, null);
    await refused(rotateKey(client, made.id, next('yyyyyyyyyyyy'), 60), 'key_ended');
    await refused(findKey(client, 'yyyyyyyyyyyy'), 'key_not_found');
  });

  it('makes no key for a closed tenant, even if it closes in between', async () => {
    const shut = await makeTenant('shut');
    await client.query(`update gateway.tenants set status = 'closed' where id = $1`, [shut.id]);
    await refused(findOpenTenant(client, 'shut'), 'tenant_closed');
    await refused(createKey(client, shut, wanted('kkkkkkkkkkkk')), 'tenant_closed');
    await refused(findKey(client, 'kkkkkkkkkkkk'), 'key_not_found');
  });

  it('counts for its tenant only while it is neither revoked nor expired', async () => {
    const few = await makeTenant('few');
    await createKey(client, few, wanted('llll11111111'));
    await createKey(client, few, wanted('llll22222222', { expiresAt: new Date(1_000) }));
    const gone = await createKey(client, few, wanted('llll33333333'));
    await revokeKey(client, gone.id, null);
    expect((await findTenant(client, 'few')).activeKeys).to.equal(1);
  });

  it('lists the keys of one tenant or of all', async () => {
    const few = await listKeys(client, 'few');
    expect(few.map(({ publicId }) => publicId.slice(0, 4))).to.deep.equal(['llll', 'llll', 'llll']);
    expect((await listKeys(client)).length).to.be.greaterThan(few.length);
    await refused(listKeys(client, 'nobody'), 'tenant_not_found');
  });

  function wanted(publicId: string, more: Partial<NewKey> = {}): NewKey {
    return {
      publicId,
      hash: HASH,
      secretTag: TAG,
      name: '',
      expiresAt: null,
      allowAllModels: null,
      allowedModels: null,
      limits: NO_LIMITS,
      ...more,
    };
  }

  function make(publicId: string, more: Partial<NewKey> = {}): Promise<Key> {
    return createKey(client, acme, wanted(publicId, more));
  }

  function makeTenant(slug: string): Promise<{ readonly id: string; readonly slug: string }> {
    return createTenant(client, {
      slug,
      name: slug,
      allowAllModels: true,
      allowedModels: [],
      allowRuntimeOptions: false,
      maxNumCtx: null,
      auditRetentionDays: 90,
      limits: NO_LIMITS,
    });
  }

  async function versionOf(id: string): Promise<number> {
    const { rows } = await client.query<{ version: number }>(
      'select version from gateway.api_keys where id = $1',
      [id],
    );
    return rows[0]?.version ?? NaN;
  }

  async function revocationsOf(id: string): Promise<readonly (string | null)[]> {
    const { rows } = await client.query<{ reason: string | null }>(
      `select reason from gateway.revocations where key_id = $1 and kind = 'revocation' order by id`,
      [id],
    );
    return rows.map(({ reason }) => reason);
  }
});

async function refused(act: Promise<unknown>, code: string): Promise<void> {
  const error: unknown = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(ActError);
  expect((error as ActError).code).to.equal(code);
}
