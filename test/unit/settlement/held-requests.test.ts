import { expect } from 'chai';
import { HeldRequests } from '../../../lib/settlement/held-requests.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import { sampleCall, sampleHold, sampleLease } from '../../support/sample-request.ts';

describe('settlement/held-requests', () => {
  it('tells how far each has come at the moment it is asked', () => {
    const held = new HeldRequests();
    const tally = startTally();
    const lease = sampleLease();
    held.add(lease, sampleCall(), tally);
    expect(held.list(0)).to.deep.equal([
      { hold: lease.hold, promptTokens: 0, completionTokens: 0 },
    ]);
    tally.written = true;
    tally.outputLines = 7;
    expect(held.list(0)[0]).to.include({ promptTokens: 19, completionTokens: 7 });
  });

  it('keeps shards apart, and gives of some ids those that are still there', () => {
    const held = new HeldRequests();
    for (const [id, shard] of [
      ['a', 0],
      ['b', 0],
      ['c', 5],
    ] as const) {
      held.add(sampleLease({ hold: sampleHold({ id, shard }) }), sampleCall(), startTally());
    }
    const idsOf = (shard: number, ids?: readonly string[]): string[] =>
      held.list(shard, ids).map(({ hold }) => hold.id);
    expect(idsOf(0)).to.deep.equal(['a', 'b']);
    expect(held.count(0)).to.equal(2);
    held.remove(0, 'a');
    held.remove(7, 'a');
    expect(idsOf(0, ['b', 'a', 'c'])).to.deep.equal(['b']);
    expect(idsOf(5)).to.deep.equal(['c']);
    expect(idsOf(7)).to.deep.equal([]);
    expect(held.count(7)).to.equal(0);
  });
});
