import { expect } from 'chai';
import { levelsOf } from '../../../lib/admission/levels.ts';
import { toLimitHeaders } from '../../../lib/admission/limit-headers.ts';
import type { Used } from '../../../lib/ledger/admit-reply.ts';
import { samplePrincipal } from '../../support/sample-request.ts';

const NOW = Date.UTC(2026, 10, 24, 17, 0, 0, 250);
const UNUSED: Used = { requests: null, tokens: null, spentTokens: null, heldTokens: null };

type Given = Parameters<typeof samplePrincipal>[0];

function headersOf(
  limits: Given,
  used: { readonly key?: Partial<Used>; readonly tenant?: Partial<Used> },
): Record<string, string> {
  const usage = { key: { ...UNUSED, ...used.key }, tenant: { ...UNUSED, ...used.tenant } };
  const flat = toLimitHeaders(usage, levelsOf(samplePrincipal(limits)), NOW);
  const pairs: Record<string, string> = {};
  for (let at = 0; at < flat.length; at += 2) pairs[flat[at] ?? ''] = flat[at + 1] ?? '';
  return pairs;
}

describe('admission/limit-headers', () => {
  it('tells nothing of limits that there are not', () => {
    expect(headersOf({}, {})).to.deep.equal({});
  });

  it('tells the limit, what is left, and when the window is empty again', () => {
    const limits = { requestsPerMinute: 60, tokensPerMinute: 1_000 };
    expect(headersOf({ key: limits }, { key: { requests: 1, tokens: 0 } })).to.deep.equal({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1m1s',
      'x-ratelimit-limit-tokens': '1000',
      'x-ratelimit-remaining-tokens': '1000',
      'x-ratelimit-reset-tokens': '0s',
    });
  });

  it('takes of key and tenant the one that leaves less, of equals the key', () => {
    const limits = { key: { requestsPerMinute: 60 }, tenant: { requestsPerMinute: 100 } };
    const told = (key: number, tenant: number): string | undefined =>
      headersOf(limits, { key: { requests: key }, tenant: { requests: tenant } })[
        'x-ratelimit-limit-requests'
      ];
    expect(told(10, 10)).to.equal('60');
    expect(told(10, 90)).to.equal('100');
    expect(told(10, 50)).to.equal('60');
    expect(headersOf({ tenant: { tokensPerMinute: 7 } }, { tenant: { tokens: 2 } })).to.include({
      'x-ratelimit-remaining-tokens': '5',
    });
  });

  it('a budget has what is neither spent nor held, never less than nothing', () => {
    const day = { budgetTokens: 5_000, budgetPeriod: 'day' } as const;
    const used = { spentTokens: 1_000, heldTokens: 700 };
    expect(headersOf({ key: day }, { key: used })).to.deep.equal({
      'x-budget-limit-tokens': '5000',
      'x-budget-remaining-tokens': '3300',
      'x-budget-reset': '2026-11-25T00:00:00.000Z',
    });
    const month = { budgetTokens: 1_500, budgetPeriod: 'month' } as const;
    expect(headersOf({ key: day, tenant: month }, { key: used, tenant: used })).to.deep.equal({
      'x-budget-limit-tokens': '1500',
      'x-budget-remaining-tokens': '0',
      'x-budget-reset': '2026-12-01T00:00:00.000Z',
    });
  });

  it('a budget for all time has no reset', () => {
    for (const budgetPeriod of ['total', null] as const) {
      const total = { budgetTokens: 10, budgetPeriod };
      expect(
        headersOf({ key: total }, { key: { spentTokens: 0, heldTokens: 0 } }),
      ).to.have.all.keys('x-budget-limit-tokens', 'x-budget-remaining-tokens');
    }
  });
});
