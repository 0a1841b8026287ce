import { expect } from 'chai';
import { levelsOf } from '../../../lib/admission/levels.ts';
import { refuseAdmission } from '../../../lib/admission/refuse-admission.ts';
import type { GatewayError } from '../../../lib/errors/gateway-error.ts';
import type { Used, Verdict } from '../../../lib/ledger/admit-reply.ts';
import { samplePrincipal } from '../../support/sample-request.ts';

const NOW = Date.UTC(2026, 10, 24, 17, 0, 0, 250);
const SIZE = { promptTokens: 30, promptBoundTokens: 600, askedTokens: 100, leastTokens: 64 };
const FULL = {
  requestsPerMinute: 60,
  tokensPerMinute: 1_000,
  concurrency: 4,
  budgetTokens: 5_000,
  budgetPeriod: 'day',
} as const;
const USED: Used = { requests: 60, tokens: 950, spentTokens: 4_000, heldTokens: 700 };
const PASSES: Verdict = {
  requestsWaitMs: null,
  tokensWaitMs: null,
  concurrency: false,
  budget: null,
};

interface Said {
  readonly key?: Partial<Verdict>;
  readonly tenant?: Partial<Verdict>;
  readonly backlog?: boolean;
  readonly period?: 'day' | 'month' | 'total' | null;
}

function refuse({ key, tenant, backlog = false, period = 'day' }: Said): GatewayError {
  const limits = { ...FULL, budgetPeriod: period };
  return refuseAdmission(
    {
      kind: 'no',
      nowMs: NOW,
      usage: { key: USED, tenant: USED },
      key: { ...PASSES, ...key },
      tenant: { ...PASSES, ...tenant },
      backlog,
    },
    levelsOf(samplePrincipal({ key: limits, tenant: limits })),
    SIZE,
    ['x-test', '1'],
  );
}

const waitOf = (said: Said): number | null | undefined => refuse(said).details.retryAfterMs;

describe('admission/refuse-admission', () => {
  it('names limit, scope, what is left and when to come back', () => {
    const cases: readonly [Said, string, string][] = [
      [
        { key: { requestsWaitMs: 4_001 } },
        'rate_limit_exceeded',
        "The key's limit of 60 requests a minute is reached: 0 left. Try again in 5 s.",
      ],
      [
        { tenant: { tokensWaitMs: 12_000 } },
        'rate_limit_exceeded',
        "The tenant's limit of 1000 tokens a minute has 50 left; this request needs 94 or more. Try again in 12 s.",
      ],
      [
        { key: { concurrency: true } },
        'rate_limit_exceeded',
        "The key's limit of 4 concurrent requests is reached: 0 left. Try again in 1 s.",
      ],
      [
        { tenant: { budget: 'held' } },
        'budget_held',
        "The tenant's token budget of 5000 (a day) has 300 left beside the 700 that running requests hold; this request needs 601 or more. Try again in 1 s.",
      ],
      [
        { key: { budget: 'spent' } },
        'insufficient_quota',
        "The key's token budget of 5000 (a day) has 300 left; this request needs 601 or more. Try again in 25200 s.",
      ],
      [
        { backlog: true },
        'audit_backlog',
        'Too many finished requests wait to be recorded. Try again in 1 s.',
      ],
    ];
    for (const [said, code, message] of cases) {
      const refusal = refuse(said);
      expect(refusal).to.include({ code, message });
      expect(refusal.details.headers).to.deep.equal(['x-test', '1']);
    }
  });

  it('waits for the end of the period of a spent budget, and for none that has no end', () => {
    const spent = { budget: 'spent' } as const;
    expect(waitOf({ key: spent })).to.equal(Date.UTC(2026, 10, 25) - NOW);
    expect(waitOf({ key: spent, period: 'month' })).to.equal(Date.UTC(2026, 11, 1) - NOW);
    for (const period of ['total', null] as const) {
      const refusal = refuse({ key: spent, period });
      expect(refusal.details.retryAfterMs).to.equal(null);
      expect(refusal.message).to.match(/\(in all\) .* It does not start anew\.$/);
    }
  });

  it('of limits that time alone removes, the one that lasts longest', () => {
    const key = { requestsWaitMs: 5_000 };
    expect(waitOf({ key, tenant: { requestsWaitMs: 9_000 } })).to.equal(9_000);
    expect(waitOf({ key, tenant: { tokensWaitMs: 2_000 } })).to.equal(5_000);
    const both = { key, tenant: { budget: 'spent' } } as const;
    expect(refuse(both).code).to.equal('insufficient_quota');
    expect(refuse({ ...both, period: 'total' }).details.retryAfterMs).to.equal(null);
    const never = {
      key: { budget: 'spent' },
      tenant: { budget: 'spent' },
      period: 'total',
    } as const;
    expect(refuse(never).message).to.match(/^The key's/);
    const same = { key: { tokensWaitMs: 5_000 }, tenant: { requestsWaitMs: 5_000 } };
    expect(refuse(same).message, 'the first of two as long').to.match(/^The tenant's .* requests/);
  });

  it('else the first in the order, since nobody knows when others end', () => {
    const slot = { concurrency: true };
    expect(refuse({ key: slot, tenant: { requestsWaitMs: 5_000 } }).message).to.match(
      /^The tenant's limit of 60 requests/,
    );
    expect(refuse({ key: { budget: 'spent' }, tenant: slot }).message).to.match(
      /^The tenant's limit of 4 concurrent/,
    );
    expect(refuse({ tenant: { budget: 'held' }, backlog: true }).code).to.equal('budget_held');
    expect(refuse({ tenant: { budget: 'spent' }, backlog: true }).code).to.equal(
      'insufficient_quota',
    );
  });
});
