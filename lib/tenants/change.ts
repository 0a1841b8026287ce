import type { Limits } from '../shared/records.ts';

type Column = readonly [name: string, value: unknown];

/** Columns to set, of those that were named: undefined means "leave as it is", null is a value. */
export function toColumns(named: Readonly<Record<string, unknown>>): readonly Column[] {
  return Object.entries(named).filter(([, value]) => value !== undefined);
}

export function toLimitColumns(limits: Partial<Limits>): readonly Column[] {
  return toColumns({
    requests_per_minute: limits.requestsPerMinute,
    tokens_per_minute: limits.tokensPerMinute,
    concurrency: limits.concurrency,
    budget_tokens: limits.budgetTokens,
    budget_period: limits.budgetPeriod,
    max_output_tokens: limits.maxOutputTokens,
  });
}

export interface ChangeTarget {
  readonly table: 'tenants' | 'api_keys';
  readonly limitsTable: 'tenant_limits' | 'key_limits';
  readonly limitsKey: 'tenant_id' | 'key_id';
  readonly id: string;
}

export interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

/**
 * One statement that changes a tenant or key and its limits together, or undefined where nothing
 * was named. Column names come from this file's callers only, never from input.
 */
export function toChange(
  target: ChangeTarget,
  own: readonly Column[],
  limits: readonly Column[],
): Statement | undefined {
  const values: unknown[] = [target.id];
  const parts: string[] = [];
  if (own.length > 0) {
    const set = own.map(([name, value]) => `${name} = $${values.push(value)}`).join(', ');
    parts.push(`update gateway.${target.table} set ${set} where id = $1 returning id`);
  }
  if (limits.length > 0) {
    const names = limits.map(([name]) => name);
    const places = limits.map(([, value]) => `$${values.push(value)}`);
    const set = names.map((name) => `${name} = excluded.${name}`).join(', ');
    parts.push(
      `insert into gateway.${target.limitsTable} (${target.limitsKey}, ${names.join(', ')})
       values ($1, ${places.join(', ')})
       on conflict (${target.limitsKey}) do update set ${set} returning ${target.limitsKey}`,
    );
  }
  if (parts.length === 0) return undefined;
  const named = parts.map((part, index) => `part${index} as (${part})`).join(',\n');
  return { text: `with ${named} select 1`, values };
}
