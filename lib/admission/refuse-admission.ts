import { GatewayError } from '../errors/gateway-error.ts';
import type { RefusalCode } from '../errors/refusals.ts';
import type { AdmitReply, Used, Verdict } from '../ledger/admit-reply.ts';
import { leftOf, periodEnd } from './levels.ts';
import type { Level } from './levels.ts';
import { leastOfBudget, leastOfMinute } from './request-size.ts';
import type { RequestSize } from './request-size.ts';

type RefusedReply = Extract<AdmitReply, { kind: 'no' }>;

/** One limit that is in the way. */
interface Reason {
  readonly code: RefusalCode;
  /** Limit, scope and what is left. */
  readonly text: string;
  /** Until the same request would pass, if nobody else asks; null: it never will. */
  readonly waitMs: number | null;
  /** Time alone removes it, as opposed to the end of other requests. */
  readonly timeBased: boolean;
}

/** One level with what it has used and what is said of it. */
interface Judged extends Level {
  readonly used: Used;
  readonly verdict: Verdict;
}

/** When to look again for what ends with other requests: nobody knows when. */
const HINT_MS = 1_000;

/**
 * Words the refusal of an admission (SPEC §5). If only time-based limits refuse it is the one with the
 * longest wait, else the first in the order. Pure; `headers` go with it.
 */
export function refuseAdmission(
  reply: RefusedReply,
  levels: readonly [Level, Level],
  size: RequestSize,
  headers: readonly string[],
): GatewayError {
  const [key, tenant] = levels;
  const judged = [
    { ...key, used: reply.usage.key, verdict: reply.key },
    { ...tenant, used: reply.usage.tenant, verdict: reply.tenant },
  ];
  const reasons = [
    ...judged.map(judgeRequests),
    ...judged.map((level) => judgeMinute(level, size)),
    ...judged.map(judgeSlots),
    ...judged.map((level) => judgeBudget(level, size, reply.nowMs)),
  ].filter((reason) => reason !== null);

  const { code, text, waitMs } = choose(reply.backlog ? [...reasons, BACKLOG] : reasons);
  const message = `${text} ${sayWhen(waitMs)}`;
  return new GatewayError(code, message, { retryAfterMs: waitMs, headers });
}

const BACKLOG: Reason = {
  code: 'audit_backlog',
  text: 'Too many finished requests wait to be recorded.',
  waitMs: HINT_MS,
  timeBased: false,
};

/** `reasons` are in the order of SPEC §5, and at least one. */
function choose(reasons: readonly Reason[]): Reason {
  const onlyTime = reasons.every(({ timeBased }) => timeBased);
  return reasons.reduce((chosen, reason) =>
    onlyTime && lengthOf(reason) > lengthOf(chosen) ? reason : chosen,
  );
}

function lengthOf({ waitMs }: Reason): number {
  return waitMs ?? Infinity;
}

function sayWhen(waitMs: number | null): string {
  if (waitMs === null) return 'It does not start anew.';
  return `Try again in ${Math.ceil(waitMs / 1_000)} s.`;
}

function judgeRequests({ name, limits, used, verdict }: Judged): Reason | null {
  if (verdict.requestsWaitMs === null) return null;
  const left = leftOf(limits.requestsPerMinute, used.requests);
  return {
    code: 'rate_limit_exceeded',
    text: `The ${name}'s limit of ${String(limits.requestsPerMinute)} requests a minute is reached: ${left} left.`,
    waitMs: verdict.requestsWaitMs,
    timeBased: true,
  };
}

function judgeMinute({ name, limits, used, verdict }: Judged, size: RequestSize): Reason | null {
  if (verdict.tokensWaitMs === null) return null;
  const left = leftOf(limits.tokensPerMinute, used.tokens);
  return {
    code: 'rate_limit_exceeded',
    text: `The ${name}'s limit of ${String(limits.tokensPerMinute)} tokens a minute has ${left} left; this request needs ${leastOfMinute(size)} or more.`,
    waitMs: verdict.tokensWaitMs,
    timeBased: true,
  };
}

function judgeSlots({ name, limits, verdict }: Judged): Reason | null {
  if (!verdict.concurrency) return null;
  return {
    code: 'rate_limit_exceeded',
    text: `The ${name}'s limit of ${String(limits.concurrency)} concurrent requests is reached: 0 left.`,
    waitMs: HINT_MS,
    timeBased: false,
  };
}

function judgeBudget(level: Judged, size: RequestSize, nowMs: number): Reason | null {
  const { name, limits, used, verdict } = level;
  if (verdict.budget === null) return null;
  const left = leftOf(limits.budgetTokens, used.spentTokens, used.heldTokens);
  const what = `The ${name}'s token budget of ${String(limits.budgetTokens)} (${sayPeriod(limits)})`;
  const need = `this request needs ${leastOfBudget(size)} or more`;
  if (verdict.budget === 'held') {
    return {
      code: 'budget_held',
      text: `${what} has ${left} left beside the ${String(used.heldTokens)} that running requests hold; ${need}.`,
      waitMs: HINT_MS,
      timeBased: false,
    };
  }
  const endMs = periodEnd(limits, nowMs);
  return {
    code: 'insufficient_quota',
    text: `${what} has ${left} left; ${need}.`,
    waitMs: endMs === null ? null : endMs - nowMs,
    timeBased: true,
  };
}

function sayPeriod({ budgetPeriod }: Level['limits']): string {
  return budgetPeriod === 'day' || budgetPeriod === 'month' ? `a ${budgetPeriod}` : 'in all';
}
