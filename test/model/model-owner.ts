import type { LedgerSum, PeriodName } from '../../lib/ledger/counter.ts';
import { periodsAt } from '../../lib/ledger/counter.ts';
import type { Drift, Tick } from '../../lib/ledger/shard-replies.ts';
import { findCounter, isIn } from './model-counters.ts';
import type { Budget, Shard } from './shard.ts';
import { scopesOf } from './shard.ts';

const DAY_MS = 86_400_000;
const TTL_MS = 40 * DAY_MS;
const KEPT_DAYS = 7;

export function applyOwn(shard: Shard, claim: string): void {
  shard.life ??= { id: null, run: null, ready: false, owner: claim };
  shard.life.owner = claim;
}

export function applyTick(shard: Shard, claim: string): Tick | 'owner' {
  const { life, nowMs } = shard;
  if (life?.owner !== claim) return 'owner';
  return {
    nowMs,
    lifeId: life.id,
    ready: life.ready,
    current: life.run === 'this',
    waiting: shard.events.length,
    fills: [...shard.fills].sort(),
  };
}

export function applyBegin(shard: Shard, claim: string, lifeId: string): 'ok' | 'owner' {
  const { life } = shard;
  if (life?.owner !== claim) return 'owner';
  Object.assign(life, { id: lifeId, run: 'this', ready: false });
  return 'ok';
}

export function applyReady(shard: Shard, claim: string, lifeId: string): 'ok' | 'owner' | 'life' {
  const { life } = shard;
  if (life?.owner !== claim) return 'owner';
  if (life.id !== lifeId || life.run !== 'this') return 'life';
  life.ready = true;
  return 'ok';
}

/** Whether the owner may reap or fill. */
export function judgeOwner(
  shard: Shard,
  claim: string,
  lifeId: string | null,
): 'ok' | 'owner' | 'life' {
  const { life } = shard;
  if (life?.owner !== claim) return 'owner';
  if (!life.ready || life.run !== 'this') return 'life';
  return lifeId === null || lifeId === life.id ? 'ok' : 'life';
}

/** fill of LEDGER §3, the claim apart: what was wrong. */
export function fillCounters(
  shard: Shard,
  sums: readonly LedgerSum[],
  mode: 'fill' | 'compare',
): readonly Drift[] {
  const drifts: Drift[] = [];
  for (const { scope, period, tokens } of sums) {
    const { stream, live } = addUp(shard, { scope, period });
    const right = { life: shard.life?.id ?? '', spent: tokens + stream, held: live };
    const known = findCounter(shard, scope, period);
    const spentTokens = known ? known.spent - right.spent : 0;
    const heldTokens = known ? known.held - right.held : 0;
    if (spentTokens !== 0 || heldTokens !== 0) {
      drifts.push({ scope, period, spentTokens, heldTokens });
    }
    if (mode === 'compare' && known === undefined) continue;

    const budget = shard.budgets.get(scope) ?? { counters: new Map(), fills: 0, expiresAtMs: 0 };
    prune(budget, shard.nowMs);
    budget.counters.set(period, right);
    budget.fills += 1;
    shard.budgets.set(scope, budget);
    shard.fills.delete(`${scope}|${period}`);
    if (mode === 'compare') continue;
    budget.expiresAtMs = shard.nowMs + TTL_MS;
    shard.scopes.members.add(scope);
    shard.scopes.expiresAtMs = shard.nowMs + TTL_MS;
  }
  return drifts;
}

/** What the entries that wait and the live holds come to. */
export function addUp(
  shard: Shard,
  { scope, period }: Pick<LedgerSum, 'scope' | 'period'>,
): { readonly stream: number; readonly live: number } {
  const belongs = (of: { key: string; tenant: string; at: number }): boolean =>
    scopesOf(of).includes(scope) && isIn(period, of.at);
  const events = shard.events.filter(belongs);
  const holds = [...shard.holds.values()].filter((hold) => hold.state === 'live' && belongs(hold));
  return {
    stream: events.reduce((sum, { tokens }) => sum + tokens, 0),
    live: holds.reduce((sum, { held }) => sum + held, 0),
  };
}

/** Takes away counters of periods long over. */
function prune(budget: Budget, nowMs: number): void {
  const today = Math.floor(nowMs / DAY_MS);
  const oldestDay = today - KEPT_DAYS;
  const oldestMonth = numberOf(periodsAt((today - 31 - KEPT_DAYS) * DAY_MS).month);
  for (const period of budget.counters.keys()) {
    const isOld = numberOf(period) < (period.startsWith('d') ? oldestDay : oldestMonth);
    if (period !== 't' && isOld) budget.counters.delete(period);
  }
}

function numberOf(period: PeriodName): number {
  return Number(period.slice(1));
}
