import { expect } from 'chai';
import { judgeLimits } from '../../../lib/inspection/judge-limits.ts';
import type { LevelUse } from '../../../lib/inspection/judge-limits.ts';
import type { Reason } from '../../../lib/inspection/reason.ts';
import type { PeekLevel } from '../../../lib/ledger/peek.ts';
import type { Limits } from '../../../lib/shared/records.ts';
import { NO_LIMITS } from '../../support/rows.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 12);
const NEED = { countedTokens: 2, boundTokens: 600, outputTokens: 1 } as const;
const UNUSED: PeekLevel = {
  requests: 0,
  tokens: 0,
  running: 0,
  spentTokens: null,
  heldTokens: null,
};

interface Given {
  readonly limits?: Partial<Limits>;
  readonly used?: Partial<PeekLevel>;
  readonly waits?: LevelUse['waits'];
}

function judge({ limits, used, waits }: Given): ReturnType<typeof judgeLimits> {
  const use = {
    level: 'key',
    limits: { ...NO_LIMITS, ...limits },
    used: { ...UNUSED, ...used },
    waits: waits ?? { requestsMs: 0, tokensMs: 0 },
  } as const;
  return judgeLimits(use, NEED, NOW_MS);
}

function reasonOf(given: Given): Reason | null {
  const [judgement, ...others] = judge(given);
  expect(others).to.deep.equal([]);
  return judgement?.reason ?? null;
}

describe('inspection/judge-limits', () => {
  it('has nothing to say where no limit is set', () => {
    expect(judge({})).to.deep.equal([]);
  });

  it('tells a minute’s limit with the wait that Redis told', () => {
    const limits = { tokensPerMinute: 100 };
    expect(reasonOf({ limits, used: { tokens: 98 } })).to.equal(null);
    const waits = { requestsMs: 0, tokensMs: 7_000 };
    expect(reasonOf({ limits, used: { tokens: 99 }, waits })).to.deep.equal({
      code: 'rate_limit_exceeded',
      text: 'tokens per minute of the key: 99 of 100 used',
      limit: 'tokens',
      level: 'key',
      untilMs: NOW_MS + 7_000,
    });
  });

  it('says of a limit that no request ever fits that waiting is in vain', () => {
    const cases: readonly Partial<Limits>[] = [
      { requestsPerMinute: 0 },
      { tokensPerMinute: 1 },
      { concurrency: 0 },
      { budgetTokens: 600, budgetPeriod: 'day' },
    ];
    for (const limits of cases) {
      const reason = reasonOf({ limits, waits: { requestsMs: 61_000, tokensMs: 61_000 } });
      expect(reason, JSON.stringify(limits)).to.include({
        code: 'request_too_large_for_limit',
        untilMs: null,
      });
    }
  });

  it('tells what others hold from what is spent', () => {
    const limits = { budgetTokens: 1_000, budgetPeriod: 'month' } as const;
    const fits = { spentTokens: 300, heldTokens: 99 };
    expect(reasonOf({ limits, used: fits })).to.equal(null);
    const held = reasonOf({ limits, used: { spentTokens: 300, heldTokens: 100 } });
    expect(held).to.include({ code: 'budget_held', untilMs: null });
    const spent = reasonOf({ limits, used: { spentTokens: 400, heldTokens: 0 } });
    expect(spent).to.include({ code: 'insufficient_quota', untilMs: Date.UTC(2026, 11, 1) });
  });

  it('never leaves less than nothing, and takes a budget without a period for all time', () => {
    const [judgement] = judge({
      limits: { budgetTokens: 1_000 },
      used: { spentTokens: 5_000, heldTokens: 7 },
    });
    expect(judgement?.state).to.include({ left: 0, period: 'total', resetsAtMs: null });
    const [unknown] = judge({ limits: { budgetTokens: 1_000, budgetPeriod: 'total' } });
    expect(unknown?.state).to.include({ used: 0, held: 0, left: 1_000 });
  });
});
