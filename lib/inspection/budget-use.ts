import { readBudgetLevels } from '../ledger/budget-levels.ts';
import { periodsAt } from '../ledger/counter.ts';
import type { Counter } from '../ledger/counter.ts';
import { shardOf } from '../ledger/keys.ts';
import { readTimeMs } from '../ledger/read-time.ts';
import { readSums } from '../shards/read-sums.ts';
import type { Redis } from '../store/redis.ts';
import type { Queries } from '../tenants/queries.ts';

export type BudgetPeriod = 'day' | 'month' | 'total';

/** How much of its budget a tenant has spent in the present period, and how much is held: 1 is all. */
export interface BudgetUse {
  readonly tenant: string;
  readonly period: BudgetPeriod;
  readonly spentRatio: number;
  readonly heldRatio: number;
}

export interface BudgetUseParts {
  readonly queries: Queries;
  readonly redis: Redis;
  /** As fixed at `nzgw migrate`. */
  readonly shards: number;
  /** Tenants of these alone are looked at: each shard has one owner, who tells of it. */
  readonly owned: ReadonlySet<number>;
}

interface BudgetRow {
  readonly tenantId: string;
  readonly tenant: string;
  readonly budgetTokens: number;
  readonly period: BudgetPeriod;
}

/** Tenants that are looked at, oldest first. */
const MOST_TENANTS = 10_000;
/** Counters that are asked for at once. */
const BATCH = 200;

/** A budget of 0 is a switch, and none that could be used up. */
const SELECT = `
  select t.id as "tenantId", t.slug as tenant, l.budget_tokens as "budgetTokens",
    l.budget_period as period
  from gateway.tenants t join gateway.tenant_limits l on l.tenant_id = t.id
  where l.budget_tokens > 0 and t.status = 'active'
  order by t.created_at, t.id
  limit $1`;

/**
 * The use of every tenant's budget, oldest tenant first. Redis knows it, and holds too; of a counter
 * that nobody asked for in the shard's present life the ledger in Postgres does. Rejects as they do.
 */
export async function readBudgetUse(parts: BudgetUseParts): Promise<readonly BudgetUse[]> {
  const { rows } = await parts.queries.query<BudgetRow>(SELECT, [MOST_TENANTS]);
  const periods = periodsAt(await readTimeMs(parts.redis));
  const ofShard = Map.groupBy(rows, ({ tenantId }) => shardOf(tenantId, parts.shards));
  const found = new Map<BudgetRow, BudgetUse>();
  for (const [shard, all] of ofShard) {
    if (!parts.owned.has(shard)) continue;
    for (let from = 0; from < all.length; from += BATCH) {
      const some = all.slice(from, from + BATCH);
      const counters = some.map(({ tenantId, period }): Counter => {
        return { scope: `t:${tenantId}`, period: periods[period] };
      });
      const levels = await readLevels(parts, shard, counters);
      for (const [n, row] of some.entries()) {
        const { spentTokens = 0, heldTokens = 0 } = levels[n] ?? {};
        const { tenant, period, budgetTokens } = row;
        const spentRatio = spentTokens / budgetTokens;
        found.set(row, { tenant, period, spentRatio, heldRatio: heldTokens / budgetTokens });
      }
    }
  }
  return rows.flatMap((row) => found.get(row) ?? []);
}

async function readLevels(
  { redis, queries }: BudgetUseParts,
  shard: number,
  counters: readonly Counter[],
): Promise<readonly { readonly spentTokens: number; readonly heldTokens: number }[]> {
  const levels = await readBudgetLevels(redis, shard, counters);
  const missing = counters.filter((_, n) => levels[n] === null);
  if (missing.length === 0) return levels.filter((level) => level !== null);
  const sums = await readSums(queries, missing);
  const left = sums.values();
  return levels.map(
    (level) => level ?? { spentTokens: left.next().value?.tokens ?? 0, heldTokens: 0 },
  );
}
