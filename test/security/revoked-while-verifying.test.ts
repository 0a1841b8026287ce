import { expect } from 'chai';
import { AuthWorld, refusalOf } from '../support/auth-world.ts';
import { makeTenantRow } from '../support/rows.ts';

/** hardening.md T03: a result that was right when its check began is not right for ever. */
describe('security: a key revoked while its secret is being verified', () => {
  const waits = ['get', 'check', 'verify'] as const;

  for (const wait of waits) {
    it(`does not pass when it is revoked during "${wait}", and leaves no proof behind`, async () => {
      const world = new AuthWorld();
      const { key, row } = world.addKey();
      world.during[wait] = () => world.change(row, { status: 'revoked' });
      expect((await refusalOf(world.call(key))).code).to.equal('invalid_api_key');
      expect(world.events).to.deep.equal([]);
      expect(world.redis.size).to.equal(0);
      world.during = {};
      expect((await refusalOf(world.call(key))).code).to.equal('invalid_api_key');
    });

    it(`does not pass when trust ends during "${wait}"`, async () => {
      const world = new AuthWorld();
      const { key } = world.addKey();
      world.during[wait] = () => (world.nowMs = 1e9);
      expect((await refusalOf(world.call(key))).code).to.equal('auth_unavailable');
      expect(world.events).to.deep.equal([]);
    });

    it(`does not pass when its tenant is closed or suspended during "${wait}"`, async () => {
      for (const [status, code] of [
        ['closed', 'invalid_api_key'],
        ['suspended', 'tenant_suspended'],
      ] as const) {
        const world = new AuthWorld();
        const { key, row } = world.addKey();
        world.during[wait] = () =>
          world.tenants.set(row.tenantId, makeTenantRow({ status, version: 2 }));
        expect((await refusalOf(world.call(key))).code).to.equal(code);
      }
    });
  }

  it('does not pass on an entry of Redis either', async () => {
    const world = new AuthWorld();
    const { key, row } = world.addKey();
    await world.call(key);
    const next = world.change(row, { version: row.version });
    world.nowMs += 59_999;
    const other = new AuthWorld();
    other.nowMs = world.nowMs;
    other.keys.set(row.publicId, next);
    other.tenants.set(row.tenantId, makeTenantRow());
    for (const [id, text] of world.redis) other.redis.set(id, text);
    other.during.get = () => other.change(next, { status: 'revoked' });
    expect((await refusalOf(other.call(key))).code).to.equal('invalid_api_key');
  });

  it('does not pass when it was found in Postgres and shared memory says otherwise by then', async () => {
    const world = new AuthWorld();
    const { key, row } = world.addKey();
    world.keys.clear();
    world.postgres.set(row.publicId, { key: row, tenant: makeTenantRow() });
    world.during.verify = () => world.change(row, { status: 'revoked' });
    expect((await refusalOf(world.call(key))).code).to.equal('invalid_api_key');
  });

  it('ends all of many that wait for one verification', async () => {
    const world = new AuthWorld();
    const { key, row } = world.addKey();
    world.during.verify = () => world.change(row, { status: 'revoked' });
    const codes = await Promise.all(
      Array.from({ length: 20 }, async () => (await refusalOf(world.call(key))).code),
    );
    expect(new Set(codes)).to.deep.equal(new Set(['invalid_api_key']));
    expect(world.tasks).to.have.length(1);
  });
});
