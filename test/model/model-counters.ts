import { periodsAt } from '../../lib/ledger/counter.ts';
import type { PeriodName } from '../../lib/ledger/counter.ts';
import type { ModelCounter, Shard } from './shard.ts';
import { scopesOf } from './shard.ts';
import type { Scope } from '../../lib/ledger/keys.ts';

/** Moves every counter that exists among the six of a request (C(x) of the protocol). */
export function moveCounters(
  shard: Shard,
  of: { readonly key: string; readonly tenant: string; readonly at: number },
  change: { readonly held: number; readonly spent: number },
): void {
  for (const scope of scopesOf(of)) {
    for (const period of Object.values(periodsAt(of.at))) {
      const counter = findCounter(shard, scope, period);
      if (counter === undefined) continue;
      counter.held += change.held;
      counter.spent += change.spent;
    }
  }
}

/** A counter of another life does not exist. */
export function findCounter(
  shard: Shard,
  scope: Scope,
  period: PeriodName,
): ModelCounter | undefined {
  const counter = shard.budgets.get(scope)?.counters.get(period);
  const id = shard.life?.id ?? null;
  return id !== null && counter?.life === id ? counter : undefined;
}

/** Whether a moment lies in the period. */
export function isIn(period: PeriodName, ms: number): boolean {
  return Object.values(periodsAt(ms)).includes(period);
}
