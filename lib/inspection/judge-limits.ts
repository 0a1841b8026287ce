import { endOf } from '../ledger/counter.ts';
import type { PeekLevel } from '../ledger/peek.ts';
import type { Limits } from '../shared/records.ts';
import type { LeastRequest } from './least-request.ts';
import type { Level, LimitName, LimitState, Reason } from './reason.ts';

/** One level's limits beside what was used of them. */
export interface LevelUse {
  readonly level: Level;
  readonly limits: Limits;
  readonly used: PeekLevel;
  readonly waits: { readonly requestsMs: number; readonly tokensMs: number };
}

export interface Judgement {
  readonly state: LimitState;
  /** Null: it passes. */
  readonly reason: Reason | null;
}

/** Judges every limit of a level that is set, as the script of admission does (SPEC §5). */
export function judgeLimits(
  use: LevelUse,
  need: LeastRequest,
  nowMs: number,
): readonly Judgement[] {
  const { requestsPerMinute, tokensPerMinute } = use.limits;
  const { requestsMs, tokensMs } = use.waits;
  return [
    judgeMinute(use.level, {
      limit: 'requests',
      max: requestsPerMinute,
      used: use.used.requests,
      need: 1,
      passesAtMs: requestsMs === 0 ? null : nowMs + requestsMs,
    }),
    judgeMinute(use.level, {
      limit: 'tokens',
      max: tokensPerMinute,
      used: use.used.tokens,
      need: need.countedTokens,
      passesAtMs: tokensMs === 0 ? null : nowMs + tokensMs,
    }),
    judgeConcurrency(use),
    judgeBudget(use, need, nowMs),
  ].filter((judgement) => judgement !== null);
}

interface MinuteUse {
  readonly limit: 'requests' | 'tokens';
  readonly max: number | null;
  readonly used: number;
  readonly need: number;
  readonly passesAtMs: number | null;
}

function judgeMinute(level: Level, use: MinuteUse): Judgement | null {
  const { limit, max, used, need, passesAtMs } = use;
  if (max === null) return null;
  const left = Math.max(0, max - used);
  const state = { level, limit, period: 'minute', max, used, held: null, left } as const;
  const text = `${limit} per minute of the ${level}: ${used} of ${max} used`;
  const reason = { level, limit, untilMs: passesAtMs };
  return {
    state: { ...state, resetsAtMs: null },
    reason:
      need > max
        ? tooLarge(level, limit, max)
        : passesAtMs === null
          ? null
          : { ...reason, code: 'rate_limit_exceeded', text },
  };
}

function judgeConcurrency({ level, limits, used }: LevelUse): Judgement | null {
  const { concurrency: max } = limits;
  if (max === null) return null;
  const { running } = used;
  const limit = 'concurrency';
  const left = Math.max(0, max - running);
  const state = { level, limit, period: null, max, used: running, held: null, left } as const;
  const text = `concurrency of the ${level}: ${running} of ${max} slots are taken`;
  return {
    state: { ...state, resetsAtMs: null },
    reason:
      max === 0
        ? tooLarge(level, limit, max)
        : left > 0
          ? null
          : { code: 'rate_limit_exceeded', text, limit, level, untilMs: null },
  };
}

function judgeBudget(
  { level, limits, used }: LevelUse,
  need: LeastRequest,
  nowMs: number,
): Judgement | null {
  const { budgetTokens: max, budgetPeriod } = limits;
  if (max === null) return null;
  const period = budgetPeriod ?? 'total';
  const spent = used.spentTokens ?? 0;
  const held = used.heldTokens ?? 0;
  const left = Math.max(0, max - spent - held);
  const resetsAtMs = endOf(period, nowMs);
  const state = {
    level,
    limit: 'budget',
    period,
    max,
    used: spent,
    held,
    left,
    resetsAtMs,
  } as const;
  return { state, reason: judgeTokens(state, need.boundTokens + need.outputTokens) };
}

/** `needed`: tokens of the smallest request. */
function judgeTokens(state: LimitState & { readonly held: number }, needed: number): Reason | null {
  const { level, limit, max, used, held, resetsAtMs } = state;
  const least = `the smallest request needs ${needed}`;
  if (needed > max)
    return {
      ...tooLarge(level, limit, max),
      text: `budget of the ${level}: ${least}, the limit is ${max}`,
    };
  const what = `budget of the ${level}: ${used} of ${max} tokens spent`;
  if (max - used < needed) {
    const text = `${what}; ${least}`;
    return { code: 'insufficient_quota', text, limit, level, untilMs: resetsAtMs };
  }
  if (max - used - held >= needed) return null;
  const text = `${what}, ${held} held by running requests; ${least}`;
  return { code: 'budget_held', text, limit, level, untilMs: null };
}

function tooLarge(level: Level, limit: LimitName, max: number): Reason {
  const text = `${limit} of the ${level}: a limit of ${max} lets no request pass`;
  return { code: 'request_too_large_for_limit', text, limit, level, untilMs: null };
}
