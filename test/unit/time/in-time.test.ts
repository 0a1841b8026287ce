import { expect } from 'chai';
import { inTime } from '../../../lib/time/in-time.ts';

const never = new Promise<string>(() => undefined);
const tooLate = (): never => {
  throw new RangeError('late');
};

describe('time/in-time', () => {
  it('gives what the promise gives, if it gives it in time', async () => {
    expect(await inTime(60_000, Promise.resolve('done'), tooLate)).to.equal('done');
    const failure = new TypeError('failed');
    const outcome = inTime(60_000, Promise.reject(failure), tooLate);
    expect(await outcome.catch((error: unknown) => error)).to.equal(failure);
  });

  it('gives or throws what was said for the case that it is late', async () => {
    expect(await inTime(1, never, () => 'late')).to.equal('late');
    const outcome = inTime(1, never, tooLate);
    expect(await outcome.catch((error: unknown) => error)).to.be.instanceOf(RangeError);
  });

  it('a promise that fails afterwards disturbs nobody', async () => {
    const { promise, reject } = Promise.withResolvers<string>();
    expect(await inTime(1, promise, () => 'late')).to.equal('late');
    reject(new Error('nobody waits'));
    await new Promise(setImmediate);
  });
});
