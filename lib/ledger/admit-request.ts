import { checkCount } from './check-count.ts';
import type { HoldFacts } from './hold.ts';
import { KEYS } from './keys.ts';
import type { Scope } from './keys.ts';

/** Limits of one level that Redis decides by. null: no limit. */
export interface AdmitLimits {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly concurrency: number | null;
  readonly budgetTokens: number | null;
  readonly budgetPeriod: 'day' | 'month' | 'total' | null;
}

export interface AdmitRequest {
  /** The admission id. */
  readonly id: string;
  readonly tenantId: string;
  readonly keyId: string;
  readonly facts: HoldFacts;
  readonly keyLimits: AdmitLimits;
  readonly tenantLimits: AdmitLimits;
  /** The prompt's tokens, estimated, for the tokens of a minute. */
  readonly promptTokens: number;
  /** The most the prompt can have, for budgets. */
  readonly promptBoundTokens: number;
  /** Output that is wanted; 0 for embeddings. Limits lower it. */
  readonly askedTokens: number;
  /** The tokens of a minute do not lower it below this. */
  readonly leastTokens: number;
  /** Entries that may wait for Postgres in the tenant's shard. */
  readonly maxWaitingEntries: number;
  /** How long Redis may take; nothing is admitted by this request after it. */
  readonly timeoutMs: number;
}

/** Names of the scopes of a request: its key's and its tenant's. */
export function scopesOf(request: {
  readonly keyId: string;
  readonly tenantId: string;
}): readonly [Scope, Scope] {
  return [`k:${request.keyId}`, `t:${request.tenantId}`];
}

/**
 * What key and tenant have used, as every script of a request wants it: windows of requests and of
 * tokens, leases, budgets, each of key and tenant in turn.
 */
export function listUseKeys(
  request: { readonly keyId: string; readonly tenantId: string },
  shard: number,
): readonly string[] {
  const scopes = scopesOf(request);
  return [KEYS.requests, KEYS.tokens, KEYS.leases, KEYS.budget].flatMap((name) =>
    scopes.map((scope) => name(shard, scope)),
  );
}

interface AdmitContext {
  readonly shard: number;
  readonly incarnation: string;
  readonly leaseMs: number;
  readonly deadlineMs: number;
  /** JSON of the request's facts. */
  readonly facts: string;
}

/**
 * Keys and arguments of lua/admit-15.lua.
 * @throws RangeError for a count that is none, a limit too, and for a request that would hold nothing
 */
export function toAdmitArguments(
  request: AdmitRequest,
  { shard, incarnation, leaseMs, deadlineMs, facts }: AdmitContext,
): readonly (string | number)[] {
  const { keyLimits, tenantLimits, promptBoundTokens, askedTokens } = request;
  checkCount('bound and asked', promptBoundTokens + askedTokens, 1);
  return [
    KEYS.life(shard),
    KEYS.events(shard),
    KEYS.fills(shard),
    KEYS.lapse(shard),
    KEYS.hold(shard, request.id),
    KEYS.revokedKey(shard, request.keyId),
    KEYS.revokedTenant(shard, request.tenantId),
    ...listUseKeys(request, shard),
    deadlineMs,
    request.id,
    incarnation,
    request.keyId,
    request.tenantId,
    facts,
    leaseMs,
    request.maxWaitingEntries,
    checkCount('prompt', request.promptTokens),
    checkCount('asked', askedTokens),
    checkCount('least', request.leastTokens),
    checkCount('bound', promptBoundTokens),
    orEmpty(keyLimits.requestsPerMinute),
    orEmpty(tenantLimits.requestsPerMinute),
    orEmpty(keyLimits.tokensPerMinute),
    orEmpty(tenantLimits.tokensPerMinute),
    orEmpty(keyLimits.concurrency),
    orEmpty(tenantLimits.concurrency),
    orEmpty(keyLimits.budgetTokens),
    letterOf(keyLimits),
    orEmpty(tenantLimits.budgetTokens),
    letterOf(tenantLimits),
  ];
}

/** The letter by which scripts know a budget's period; empty without a budget. */
export function letterOf({
  budgetTokens,
  budgetPeriod,
}: Pick<AdmitLimits, 'budgetTokens' | 'budgetPeriod'>): string {
  return budgetTokens === null ? '' : (budgetPeriod ?? 'total').charAt(0);
}

function orEmpty(limit: number | null): number | '' {
  return limit === null ? '' : checkCount('limit', limit);
}
