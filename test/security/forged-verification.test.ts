import { expect } from 'chai';
import { deriveSecrets, digestKey } from '../../lib/auth/key-digest.ts';
import { makeKey } from '../../lib/auth/key-format.ts';
import { writeVerification } from '../../lib/auth/stored-verification.ts';
import { AuthWorld, refusalOf } from '../support/auth-world.ts';
import { makeTenantRow } from '../support/rows.ts';

/** Whoever can write to Redis must not be able to make a key. */
describe('security: entries in Redis that no gateway wrote', () => {
  let world: AuthWorld;
  /** A key whose row has no tag: nothing but the entry and Argon2 stands between. */
  let row: ReturnType<AuthWorld['addKey']>['row'];
  let wrong: string;
  let principal: Parameters<typeof writeVerification>[1];

  beforeEach(() => {
    world = new AuthWorld();
    row = world.addKey({ secretTag: null }).row;
    wrong = world.addWrongKey(row);
    principal = { key: row, tenant: makeTenantRow() };
  });

  async function expectRefused(): Promise<void> {
    expect((await refusalOf(world.call(wrong))).code).to.equal('invalid_api_key');
    expect(world.tasks).to.have.length(1);
  }

  it('is not believed when made under a guessed pepper', async () => {
    const guessed = deriveSecrets('a guess of at least thirty-two bytes!');
    const digest = digestKey(world.secrets, wrong);
    world.redis.set(row.keyId, writeVerification(guessed, principal, digest, world.clock.wallMs()));
    await expectRefused();
  });

  it('is not believed when it was another key of the same gateway', async () => {
    const other = world.addKey({ tenantId: row.tenantId });
    await world.call(other.key);
    await new Promise(setImmediate);
    const entry = world.redis.get(other.row.keyId);
    expect(entry).to.be.a('string');
    world.tasks.length = 0;
    world.redis.set(row.keyId, entry ?? '');
    await expectRefused();
  });

  it('is not believed when digest, versions or time of a true one were replaced', async () => {
    const right = world.addKey({ secretTag: null });
    await world.call(right.key);
    await new Promise(setImmediate);
    const parts = (world.redis.get(right.row.keyId) ?? '').split('.');
    const stranger = { ...right.row };
    const key = world.addWrongKey(stranger);
    const digest = digestKey(world.secrets, key).toString('hex');
    world.redis.set(right.row.keyId, parts.with(1, digest).join('.'));
    expect((await refusalOf(world.call(key))).code).to.equal('invalid_api_key');

    world.nowMs += 61_000;
    world.tasks.length = 0;
    world.redis.set(right.row.keyId, parts.with(4, String(world.clock.wallMs())).join('.'));
    await world.call(right.key);
    expect(world.tasks).to.have.length(1);
  });

  it('does nothing for an id that nobody has', async () => {
    const { key, publicId } = makeKey();
    world.redis.set(publicId, 'anything');
    expect((await refusalOf(world.call(key))).code).to.equal('invalid_api_key');
  });
});
