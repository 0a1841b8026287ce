import type { BudgetPeriod, Limits } from '../shared/records.ts';

/** A row of gateway.tenant_limits or gateway.key_limits; all null where there is no row. */
export interface LimitColumns {
  readonly requests_per_minute: number | null;
  readonly tokens_per_minute: number | null;
  readonly concurrency: number | null;
  readonly budget_tokens: number | null;
  readonly budget_period: BudgetPeriod | null;
  readonly max_output_tokens: number | null;
}

export const LIMIT_COLUMNS = [
  'requests_per_minute',
  'tokens_per_minute',
  'concurrency',
  'budget_tokens',
  'budget_period',
  'max_output_tokens',
] as const satisfies readonly (keyof LimitColumns)[];

export const NO_LIMITS: Limits = {
  requestsPerMinute: null,
  tokensPerMinute: null,
  concurrency: null,
  budgetTokens: null,
  budgetPeriod: null,
  maxOutputTokens: null,
};

export function toLimits(row: LimitColumns): Limits {
  return {
    requestsPerMinute: row.requests_per_minute,
    tokensPerMinute: row.tokens_per_minute,
    concurrency: row.concurrency,
    budgetTokens: row.budget_tokens,
    budgetPeriod: row.budget_period,
    maxOutputTokens: row.max_output_tokens,
  };
}

/** Values in the order of LIMIT_COLUMNS. */
export function toLimitValues(limits: Limits): readonly unknown[] {
  return [
    limits.requestsPerMinute,
    limits.tokensPerMinute,
    limits.concurrency,
    limits.budgetTokens,
    limits.budgetPeriod,
    limits.maxOutputTokens,
  ];
}
