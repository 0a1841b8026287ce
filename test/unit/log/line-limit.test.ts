import { expect } from 'chai';
import { makeLineLimit } from '../../../lib/log/line-limit.ts';

describe('log/line-limit', () => {
  it('says so many lines a second, then none, and tells the gap with the next', () => {
    let now = 5_000;
    const limit = makeLineLimit({ wallMs: () => 0, monotonicMs: () => now }, 2);
    const take = (times: number) => Array.from({ length: times }, () => limit.take());

    expect(take(5)).to.deep.equal([0, 0, undefined, undefined, undefined]);
    now = 5_999;
    expect(take(1)).to.deep.equal([undefined]);
    now = 6_000;
    expect(take(3)).to.deep.equal([4, 0, undefined]);
  });

  it('counts a gap on over seconds in which nothing may be said', () => {
    let now = 0;
    const limit = makeLineLimit({ wallMs: () => 0, monotonicMs: () => now }, 0);
    expect(limit.take()).to.equal(undefined);
    now = 1_000;
    expect(limit.take()).to.equal(undefined);
  });
});
