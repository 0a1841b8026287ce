import type { Usage, Used } from '../ledger/admit-reply.ts';
import { leftOf, periodEnd } from './levels.ts';
import type { Level } from './levels.ts';

/** One limit, with what is left of it. */
interface Left {
  readonly limit: number;
  readonly left: number;
  readonly used: boolean;
  readonly level: Level;
}

/** Seconds that a window looks back, the present one included. */
const WINDOW_SECONDS = 61;

/**
 * What is left of each kind of limit (SPEC §9), names and values in turn: of key and tenant the one
 * that leaves less. Nothing where neither has the limit. `nowMs` is Redis's. Pure.
 */
export function toLimitHeaders(
  usage: Usage,
  levels: readonly [Level, Level],
  nowMs: number,
): readonly string[] {
  const [key, tenant] = levels;
  const pick = (read: (level: Level, used: Used) => Left | null): Left | null =>
    tighter(read(key, usage.key), read(tenant, usage.tenant));
  return [
    ...listWindow('requests', pick(readRequests), nowMs),
    ...listWindow('tokens', pick(readTokens), nowMs),
    ...listBudget(pick(readBudget), nowMs),
  ];
}

function readRequests(level: Level, { requests }: Used): Left | null {
  return toLeft(level, level.limits.requestsPerMinute, requests);
}

function readTokens(level: Level, { tokens }: Used): Left | null {
  return toLeft(level, level.limits.tokensPerMinute, tokens);
}

function readBudget(level: Level, { spentTokens, heldTokens }: Used): Left | null {
  return toLeft(level, level.limits.budgetTokens, spentTokens, heldTokens);
}

function toLeft(
  level: Level,
  limit: number | null,
  ...used: readonly (number | null)[]
): Left | null {
  if (limit === null) return null;
  return { limit, left: leftOf(limit, ...used), used: used.some(Boolean), level };
}

function tighter(key: Left | null, tenant: Left | null): Left | null {
  if (key === null || tenant === null) return key ?? tenant;
  return tenant.left < key.left ? tenant : key;
}

/** A window is empty again when what was taken just now has left it. */
function listWindow(what: string, left: Left | null, nowMs: number): readonly string[] {
  if (left === null) return [];
  const emptyAtMs = (Math.floor(nowMs / 1_000) + WINDOW_SECONDS) * 1_000;
  return [
    `x-ratelimit-limit-${what}`,
    String(left.limit),
    `x-ratelimit-remaining-${what}`,
    String(left.left),
    `x-ratelimit-reset-${what}`,
    toGoDuration(left.used ? emptyAtMs - nowMs : 0),
  ];
}

function listBudget(left: Left | null, nowMs: number): readonly string[] {
  if (left === null) return [];
  const endMs = periodEnd(left.level.limits, nowMs);
  return [
    'x-budget-limit-tokens',
    String(left.limit),
    'x-budget-remaining-tokens',
    String(left.left),
    ...(endMs === null ? [] : ['x-budget-reset', new Date(endMs).toISOString()]),
  ];
}

/** Go's text of a duration, in whole seconds rounded up: `1s`, `1m1s`. */
function toGoDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
