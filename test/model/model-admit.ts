import type { Usage, Verdict } from '../../lib/ledger/admit-reply.ts';
import type { AdmitLimits, AdmitRequest } from '../../lib/ledger/admit-request.ts';
import type { Admission } from '../../lib/ledger/ask-admission.ts';
import { periodsAt } from '../../lib/ledger/counter.ts';
import type { PeriodName } from '../../lib/ledger/counter.ts';
import type { Hold } from '../../lib/ledger/hold.ts';
import type { Scope } from '../../lib/ledger/keys.ts';
import { findCounter, moveCounters } from './model-counters.ts';
import { addTo, lookAt, waitFor } from './model-window.ts';
import type { Shard } from './shard.ts';

export interface AdmitOp {
  readonly kind: 'admit';
  readonly worker: number;
  readonly inc: string;
  readonly request: AdmitRequest;
  readonly deadlineMs: number;
  readonly trueMs: number;
}

export const LEASE_MS = 30_000;

interface Level {
  readonly scope: Scope;
  readonly limits: AdmitLimits;
}

/** admit of LEDGER §3: all checks first, then all changes. */
export function applyAdmit(shard: Shard, op: AdmitOp): Admission {
  const { nowMs, life } = shard;
  if (nowMs > op.deadlineMs) return { kind: 'late', nowMs };
  if (life?.run !== 'this' || !life.ready) return { kind: 'life', nowMs };

  const levels = levelsOf(op.request);
  const missing = levels.flatMap((level) => {
    const period = periodOf(level.limits, nowMs);
    if (period === null || findCounter(shard, level.scope, period)) return [];
    return [`${level.scope}|${period}`];
  });
  if (missing.length > 0) {
    for (const name of missing) shard.fills.add(name);
    return { kind: 'fill', nowMs };
  }

  const [key, tenant] = levels.map((level) => judge(shard, level, op.request));
  if (key === undefined || tenant === undefined) throw new Error('two levels');
  const backlog = shard.events.length >= op.request.maxWaitingEntries;
  if ([key, tenant].some(isRefusal) || backlog) {
    return { kind: 'no', nowMs, usage: usageOf(shard, levels), key, tenant, backlog };
  }

  const grantedTokens = Math.min(
    op.request.askedTokens,
    ...levels.flatMap((level) => roomOf(shard, level, op.request)),
  );
  const heldTokens = op.request.promptBoundTokens + grantedTokens;
  const hold = makeHold(shard, op, { levels, grantedTokens, heldTokens });
  return { kind: 'ok', nowMs, grantedTokens, heldTokens, usage: usageOf(shard, levels), hold };
}

/** The counter that a limit is about; null without a budget. */
export function periodOf(limits: AdmitLimits, ms: number): PeriodName | null {
  return limits.budgetTokens === null ? null : periodsAt(ms)[limits.budgetPeriod ?? 'total'];
}

/** Slots of concurrency that are taken. */
export function countRunning(shard: Shard, scope: Scope): number {
  return [...(shard.leases.get(scope)?.values() ?? [])].filter((ms) => ms > shard.nowMs).length;
}

export function levelsOf(request: AdmitRequest): readonly [Level, Level] {
  return [
    { scope: `k:${request.keyId}`, limits: request.keyLimits },
    { scope: `t:${request.tenantId}`, limits: request.tenantLimits },
  ];
}

function judge(shard: Shard, { scope, limits }: Level, request: AdmitRequest): Verdict {
  const wait = (name: string, need: number, limit: number | null): number | null => {
    const window = shard.windows.get(name);
    if (limit === null || lookAt(window, shard.nowMs).sum + need <= limit) return null;
    return waitFor(window, shard.nowMs, { need, limit });
  };
  const { requestsPerMinute, tokensPerMinute, concurrency } = limits;
  return {
    requestsWaitMs: wait(`rpm:${scope}`, 1, requestsPerMinute),
    tokensWaitMs: wait(`tpm:${scope}`, request.promptTokens + request.leastTokens, tokensPerMinute),
    concurrency: concurrency !== null && countRunning(shard, scope) >= concurrency,
    budget: judgeBudget(shard, { scope, limits }, request),
  };
}

function judgeBudget(
  shard: Shard,
  { scope, limits }: Level,
  request: AdmitRequest,
): 'held' | 'spent' | null {
  const period = periodOf(limits, shard.nowMs);
  const counter = period && findCounter(shard, scope, period);
  if (!counter || limits.budgetTokens === null) return null;
  const smallest = request.promptBoundTokens + Math.min(1, request.askedTokens);
  if (counter.spent + smallest > limits.budgetTokens) return 'spent';
  return counter.spent + counter.held + smallest > limits.budgetTokens ? 'held' : null;
}

/** Output that the limits of a level leave. */
function roomOf(shard: Shard, { scope, limits }: Level, request: AdmitRequest): readonly number[] {
  const rooms: number[] = [];
  if (limits.tokensPerMinute !== null) {
    const { sum } = lookAt(shard.windows.get(`tpm:${scope}`), shard.nowMs);
    rooms.push(limits.tokensPerMinute - sum - request.promptTokens);
  }
  const period = periodOf(limits, shard.nowMs);
  const counter = period && findCounter(shard, scope, period);
  if (counter && limits.budgetTokens !== null) {
    rooms.push(limits.budgetTokens - counter.spent - counter.held - request.promptBoundTokens);
  }
  return rooms;
}

function makeHold(
  shard: Shard,
  { request, inc, trueMs }: AdmitOp,
  granted: {
    readonly levels: readonly Level[];
    readonly grantedTokens: number;
    readonly heldTokens: number;
  },
): Hold {
  const { id, keyId: key, tenantId: tenant } = request;
  const { nowMs } = shard;
  const counted = request.promptTokens + granted.grantedTokens;
  const write = (kind: 'rpm' | 'tpm', weight: number): number[] =>
    granted.levels.map(({ scope, limits }) => {
      const limit = kind === 'rpm' ? limits.requestsPerMinute : limits.tokensPerMinute;
      return limit === null ? 0 : addTo(shard, `${kind}:${scope}`, { id, weight, trueMs });
    });
  const buckets = [...write('rpm', 1), ...write('tpm', counted)];
  const facts = JSON.stringify({ id, ...request.facts });
  shard.holds.set(id, {
    ...{ state: 'live', inc, key, tenant, held: granted.heldTokens, at: nowMs, counted, buckets },
    ...{ row: facts, prompt: 0, completion: 0, charge: 0, fillsAtLoss: [], expiresAtMs: null },
  });
  keepLease(shard, id, { key, tenant });
  moveCounters(shard, { key, tenant, at: nowMs }, { held: granted.heldTokens, spent: 0 });
  return {
    ...{ id, shard: 0, keyId: key, tenantId: tenant, admittedAtMs: nowMs },
    ...{ heldTokens: granted.heldTokens, countedTokens: counted, facts },
  };
}

/** Renews, or makes, the lease of a hold. */
export function keepLease(
  shard: Shard,
  id: string,
  of: { readonly key: string; readonly tenant: string },
): void {
  const lapseMs = shard.nowMs + LEASE_MS;
  shard.lapse.set(id, lapseMs);
  for (const scope of [`k:${of.key}`, `t:${of.tenant}`] as const) {
    const leases = shard.leases.get(scope) ?? new Map<string, number>();
    shard.leases.set(scope, leases.set(id, lapseMs));
  }
}

function usageOf(shard: Shard, levels: readonly Level[]): Usage {
  const [key, tenant] = levels.map(({ scope, limits }) => {
    const sum = (name: string): number => lookAt(shard.windows.get(name), shard.nowMs).sum;
    const period = periodOf(limits, shard.nowMs);
    const counter = period && findCounter(shard, scope, period);
    return {
      requests: limits.requestsPerMinute === null ? null : sum(`rpm:${scope}`),
      tokens: limits.tokensPerMinute === null ? null : sum(`tpm:${scope}`),
      spentTokens: counter ? counter.spent : null,
      heldTokens: counter ? counter.held : null,
    };
  });
  if (key === undefined || tenant === undefined) throw new Error('two levels');
  return { key, tenant };
}

function isRefusal(verdict: Verdict): boolean {
  return Object.values(verdict).some((value) => value !== null && value !== false);
}
