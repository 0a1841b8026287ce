import { expect } from 'chai';
import { makeKey } from '../../lib/auth/key-format.ts';
import { AuthWorld, refusalOf } from '../support/auth-world.ts';

/** hardening.md T01: public ids are no secret; guesses of secrets must cost next to nothing. */
describe('security: a flood of wrong secrets', () => {
  it('never reaches Argon2 for a key with a tag, nor disturbs who has the right one', async () => {
    const world = new AuthWorld();
    const { key, row } = world.addKey();
    await world.call(key);
    world.tasks.length = 0;
    for (let round = 0; round < 2_000; round += 1) {
      const refusal = await refusalOf(world.call(world.addWrongKey(row), `192.0.2.${round % 200}`));
      expect(refusal.code).to.equal('invalid_api_key');
      if (round % 100 === 0) await world.call(key);
    }
    expect(world.tasks).to.deep.equal([]);
    expect(world.failures).to.have.length(2_000);
    expect(world.lookups).to.equal(0);
  });

  it('of one address asks Redis no more once that has to wait', async () => {
    const world = new AuthWorld();
    const { row } = world.addKey();
    world.waitMs = 60_000;
    await refusalOf(world.call(world.addWrongKey(row), '2001:db8::1'));
    for (let round = 0; round < 500; round += 1) {
      const address = `2001:db8::${(round + 2).toString(16)}`;
      const refusal = await refusalOf(world.call(world.addWrongKey(row), address));
      expect(refusal.code).to.equal('too_many_failures');
    }
    expect(world.failures).to.have.length(1);
  });

  it('of ids that nobody has asks Postgres no more once the address has to wait', async () => {
    const world = new AuthWorld();
    await refusalOf(world.call(makeKey().key));
    world.waitMs = 60_000;
    for (let round = 0; round < 50; round += 1) {
      expect((await refusalOf(world.call(makeKey().key))).code).to.equal('too_many_failures');
    }
    expect(world.lookups).to.equal(1);
  });
});
