import { expect } from 'chai';
import { describeService } from '../../../lib/cluster/service-status.ts';

describe('cluster/service-status', () => {
  const pass = { status: 'pass', ms: 1 } as const;
  const fail = { status: 'fail', ms: 1 } as const;

  it('tells how many workers listen', () => {
    expect(describeService({ status: 'pass', checks: { redis: pass } }, 1)).to.equal(
      'ready: 1 worker listens',
    );
    expect(describeService({ status: 'fail', checks: {} }, 2)).to.equal('2 workers listen');
  });

  it('names what is missing', () => {
    const checks = { redis: fail, trust: pass, upstream: fail };
    expect(describeService({ status: 'fail', checks }, 2)).to.equal(
      'not ready (redis, upstream): 2 workers listen',
    );
  });
});
