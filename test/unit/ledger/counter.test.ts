import { expect } from 'chai';
import fc from 'fast-check';
import { daysOf, endOf, periodsAt, readCounter } from '../../../lib/ledger/counter.ts';

const DAY_MS = 86_400_000;
const SCOPE = 'k:11111111-2222-4333-8444-555555555555';

describe('ledger/counter', () => {
  it('reads the names of counters, and no other text that somebody left in Redis', () => {
    for (const period of ['d20781', 'm202611', 't']) {
      expect(readCounter(`${SCOPE}|${period}`)).to.deep.equal({ scope: SCOPE, period });
    }
    for (const name of ['', SCOPE, `${SCOPE}|`, `${SCOPE}|w3`, `x${SCOPE}|t`, `${SCOPE}|t|t`]) {
      expect(readCounter(name)).to.equal(undefined);
    }
  });

  it('knows which days a period has, the leap day and the ends of a year too', () => {
    const leapDay = Date.UTC(2028, 1, 29, 23, 59, 59, 999);
    expect(periodsAt(leapDay)).to.deep.equal({ day: 'd21243', month: 'm202802', total: 't' });
    expect(daysOf('d21243')).to.deep.equal({ from: '2028-02-29', to: '2028-02-29' });
    expect(daysOf('m202802')).to.deep.equal({ from: '2028-02-01', to: '2028-02-29' });
    expect(daysOf('m202612')).to.deep.equal({ from: '2026-12-01', to: '2026-12-31' });
    expect(daysOf('t')).to.equal(null);
  });

  it('ends a period where the next one begins', () => {
    const moment = fc.integer({ min: 0, max: 4_102_444_799_999 });
    const property = fc.property(moment, fc.constantFrom('day' as const, 'month' as const), check);
    fc.assert(property, { numRuns: 300 });
    expect(endOf('total', 5)).to.equal(null);

    function check(ms: number, period: 'day' | 'month'): void {
      const endMs = endOf(period, ms) ?? 0;
      const name = periodsAt(ms)[period];
      expect(endMs).to.be.above(ms);
      expect(periodsAt(endMs - 1)[period]).to.equal(name);
      expect(periodsAt(endMs)[period]).not.to.equal(name);
      const { from, to } = daysOf(name) ?? { from: '', to: '' };
      expect(Date.parse(from)).to.be.at.most(ms);
      expect(Date.parse(to) + DAY_MS).to.equal(endMs);
    }
  });
});
