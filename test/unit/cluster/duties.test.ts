import { expect } from 'chai';
import { toMarkerMs } from '../../../lib/cluster/duties.ts';

describe('cluster/duties', () => {
  it('marks a revoked key beyond every proof that is remembered', () => {
    const settings = { verifiedKeySeconds: 3_600, bodyTimeoutSeconds: 60, admitTimeoutMs: 1_000 };
    expect(toMarkerMs(settings)).to.equal(7_200_000);
  });

  it('marks it beyond the slowest request that was authenticated before', () => {
    const settings = { verifiedKeySeconds: 1, bodyTimeoutSeconds: 600, admitTimeoutMs: 10_000 };
    expect(toMarkerMs(settings)).to.be.above(610_000);
  });
});
