import { expect } from 'chai';
import { readTopology } from '../../support/redis-topology.ts';

describe('support/redis-topology', () => {
  it('is one server unless told otherwise, and never what was not understood', () => {
    expect(readTopology({})).to.equal('single');
    expect(readTopology({ REDIS_TOPOLOGY: 'single' })).to.equal('single');
    expect(readTopology({ REDIS_TOPOLOGY: 'cluster' })).to.equal('cluster');
    for (const wrong of ['', 'Cluster', 'sentinel']) {
      expect(() => readTopology({ REDIS_TOPOLOGY: wrong })).to.throw('REDIS_TOPOLOGY');
    }
  });
});
