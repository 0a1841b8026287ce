import { expect } from 'chai';
import { makePatience } from '../../../lib/revocation/patience.ts';

describe('revocation/patience', () => {
  it('is longer after each failure, up to its end, and as at first after a success', async () => {
    const patience = makePatience(100, 350);
    const given: number[] = [];
    const act = (fails: boolean) => (withinMs: number) => {
      given.push(withinMs);
      return fails ? Promise.reject(new Error('too slow')) : Promise.resolve(withinMs);
    };
    for (let tries = 0; tries < 3; tries += 1) {
      const error = await patience.spend(act(true)).catch((caught: unknown) => caught);
      expect(error).to.have.property('message', 'too slow');
    }
    expect(await patience.spend(act(false))).to.equal(350);
    expect(await patience.spend(act(false))).to.equal(100);
    expect(given).to.deep.equal([100, 200, 350, 350, 100]);
  });
});
