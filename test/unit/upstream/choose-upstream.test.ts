import { expect } from 'chai';
import { orderUpstreams } from '../../../lib/upstream/choose-upstream.ts';

describe('upstream/choose-upstream', () => {
  const loads = [{ inFlight: 5 }, { inFlight: 0 }, { inFlight: 2 }, { inFlight: 0 }];

  it('puts the fewest in flight first, and keeps the order of the settings between equals', () => {
    expect(orderUpstreams([0, 1, 2, 3], loads)).to.deep.equal([1, 3, 2, 0]);
  });

  it('offers only upstreams that have the model and exist', () => {
    expect(orderUpstreams([2, 0, 9], loads)).to.deep.equal([2, 0]);
    expect(orderUpstreams([9], loads)).to.deep.equal([]);
    expect(orderUpstreams([], loads)).to.deep.equal([]);
  });
});
