import { hashSync } from '@node-rs/argon2';
import { expect } from 'chai';
import { toOptions } from '../../../lib/auth/hash-key.ts';
import type { Principal } from '../../../lib/auth/principal.ts';
import { SuspendedTenantError } from '../../../lib/auth/refused-key.ts';
import { AuthWorld, refusalOf } from '../../support/auth-world.ts';
import { makeTenantRow } from '../../support/rows.ts';
import { TEST_COST } from '../../support/seed-key.ts';

describe('auth/confirm', () => {
  let world: AuthWorld;
  let key: string;
  let before: Principal;
  const codeOf = async (promise: Promise<unknown>) => (await refusalOf(promise)).code;

  beforeEach(async () => {
    world = new AuthWorld();
    key = world.addKey({ expiresAtMs: world.clock.wallMs() + 10_000 }).key;
    before = await world.call(key);
  });

  it('spends nothing on a caller for whom nothing changed', async () => {
    const [tasks, events] = [world.tasks.length, world.events.length];
    expect(await world.confirm(key, before)).to.deep.equal(before);
    expect([world.tasks.length, world.events.length]).to.deep.equal([tasks, events]);
  });

  it('gives the rows of now, so that what is decided next is decided by them', async () => {
    world.change(before.key, { allowedModels: ['a'] });
    world.tenants.set(before.tenant.tenantId, makeTenantRow({ maxNumCtx: 7, version: 2 }));
    const now = await world.confirm(key, before);
    expect(now.key).to.deep.include({ allowedModels: ['a'], version: 2 });
    expect(now.tenant.maxNumCtx).to.equal(7);
    expect(world.tasks).to.have.length(1);
  });

  it('refuses a key that was revoked or has expired, and one of a tenant closed since', async () => {
    world.change(before.key, { status: 'revoked' });
    expect(await codeOf(world.confirm(key, before))).to.equal('invalid_api_key');
    world.change(before.key, {});
    world.nowMs += 10_000;
    expect(await codeOf(world.confirm(key, before))).to.equal('invalid_api_key');
    world.nowMs -= 10_000;
    await world.confirm(key, before);
    world.tenants.set(before.tenant.tenantId, makeTenantRow({ status: 'closed', version: 2 }));
    expect(await codeOf(world.confirm(key, before))).to.equal('invalid_api_key');
  });

  it('tells whose tenant was suspended since', async () => {
    world.tenants.set(before.tenant.tenantId, makeTenantRow({ status: 'suspended', version: 2 }));
    expect(await refusalOf(world.confirm(key, before))).to.be.instanceOf(SuspendedTenantError);
  });

  it('believes nothing once the trust lease is over', async () => {
    world.trust = { deadlineMs: world.nowMs, runId: 'r' };
    expect(await codeOf(world.confirm(key, before))).to.equal('auth_unavailable');
  });

  it('wants the secret proved again when the hash is another', async () => {
    const hash = hashSync('another key', toOptions(TEST_COST));
    world.change(before.key, { hash, secretTag: null });
    expect(await codeOf(world.confirm(key, before))).to.equal('invalid_api_key');
    world.change(before.key, { hash: hashSync(key, toOptions(TEST_COST)) });
    expect((await world.confirm(key, before)).key.keyId).to.equal(before.key.keyId);
  });

  it('believes a row that only Postgres has for its lease, and then asks anew', async () => {
    world.keys.clear();
    world.redis.clear();
    world.postgres.set(before.key.publicId, before);
    const found = await world.call(key);
    world.nowMs += 199;
    expect(await world.confirm(key, found)).to.equal(found);
    expect(world.lookups).to.equal(1);
    world.nowMs += 1;
    expect((await world.confirm(key, found)).key.keyId).to.equal(before.key.keyId);
    expect(world.lookups).to.equal(2);
  });

  it('refuses a key that is gone from shared memory and from Postgres', async () => {
    world.keys.clear();
    expect(await codeOf(world.confirm(key, before))).to.equal('invalid_api_key');
  });
});
