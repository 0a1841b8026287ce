import { expect } from 'chai';
import { isFromPrimary, isFromWorker } from '../../../lib/cluster/messages.ts';

describe('cluster/messages', () => {
  it('a worker cannot say what only the primary may say', () => {
    expect(isFromPrimary({ type: 'drain', graceMs: 1 })).to.equal(true);
    expect(isFromWorker({ type: 'drain', graceMs: 1 })).to.equal(false);
    expect(isFromWorker({ type: 'listening', host: 'h', port: 1 })).to.equal(true);
    expect(isFromPrimary({ type: 'listening', host: 'h', port: 1 })).to.equal(false);
  });

  it('what is no message of ours is none', () => {
    for (const stranger of [null, undefined, 'drain', 1, {}, { type: 7 }, { type: 'exec' }]) {
      expect(isFromPrimary(stranger)).to.equal(false);
      expect(isFromWorker(stranger)).to.equal(false);
    }
  });
});
