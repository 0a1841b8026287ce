import { expect } from 'chai';
import type { BreakerState } from '../../../lib/upstream/breaker.ts';
import { orderUpstreams } from '../../../lib/upstream/choose-upstream.ts';
import type { Choice } from '../../../lib/upstream/choose-upstream.ts';

describe('upstream/choose-upstream', () => {
  const named = (name: string, inFlight: number, state: BreakerState = 'closed') => ({
    name,
    connections: { inFlight },
    breaker: { state: () => state },
  });
  const order = (upstreams: readonly (Choice & { readonly name: string })[]): string =>
    orderUpstreams(upstreams)
      .map(({ name }) => name)
      .join('');

  it('puts the fewest in flight first, and keeps the order of the settings between equals', () => {
    expect(order([named('a', 5), named('b', 0), named('c', 2), named('d', 0)])).to.equal('bdca');
    expect(order([])).to.equal('');
  });

  it('puts one that is half open before all, however much it has to do', () => {
    const all = [named('a', 0), named('b', 9, 'half_open'), named('c', 3, 'half_open')];
    expect(order([...all, named('d', 0, 'open')])).to.equal('cbad');
  });
});
