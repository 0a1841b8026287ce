import { expect } from 'chai';
import { until } from '../../support/until.ts';

describe('support/until', () => {
  it('returns the first true value', async () => {
    let count = 0;
    const value = await until(() => (++count > 2 ? 'there' : undefined), {
      withinMs: 1_000,
      what: 'three calls',
    });
    expect(value).to.equal('there');
    expect(count).to.equal(3);
  });

  it('names what did not happen in time', async () => {
    const error = await until(() => Promise.resolve(false), {
      withinMs: 20,
      what: 'the row to be there',
    }).catch((thrown: unknown) => thrown);
    expect(error).to.have.property('message', 'waited 20 ms in vain for the row to be there');
  });
});
