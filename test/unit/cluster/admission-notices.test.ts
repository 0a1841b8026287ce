import { expect } from 'chai';
import { makeAdmissionNotices } from '../../../lib/cluster/admission-notices.ts';
import type { FromWorker } from '../../../lib/cluster/messages.ts';
import { makeHandClock } from '../../support/far-ledger.ts';

describe('cluster/admission-notices', () => {
  it('says once that it admits, and of a shard at most every 20 ms that counters are missing', () => {
    const clock = makeHandClock();
    const told: FromWorker[] = [];
    const notices = makeAdmissionNotices(clock, (message) => void told.push(message));
    notices.asking();
    notices.asking();
    notices.fills(1);
    clock.nowMs = 19;
    notices.fills(1);
    notices.fills(2);
    clock.nowMs = 20;
    notices.fills(1);
    expect(told).to.deep.equal([
      { type: 'admitting' },
      { type: 'fills', shard: 1 },
      { type: 'fills', shard: 2 },
      { type: 'fills', shard: 1 },
    ]);
  });
});
