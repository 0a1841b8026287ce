import type { Limits } from '../../lib/shared/records.ts';

/** What a tenant and a key have in common for a reader. */
export interface Limited {
  readonly limits: Limits;
  /** null (keys only): as the tenant. */
  readonly allowAllModels: boolean | null;
  readonly allowedModels: readonly string[] | null;
}

/** The `limits` of every document; named as the options are. null: no limit. */
export interface LimitsDocument {
  readonly rpm: number | null;
  readonly tpm: number | null;
  readonly concurrency: number | null;
  readonly budget: number | null;
  readonly budget_period: string | null;
  readonly max_output_tokens: number | null;
  readonly all_models: boolean | null;
  readonly models: readonly string[] | null;
}

export function toLimitsDocument(item: Limited): LimitsDocument {
  return {
    rpm: item.limits.requestsPerMinute,
    tpm: item.limits.tokensPerMinute,
    concurrency: item.limits.concurrency,
    budget: item.limits.budgetTokens,
    budget_period: item.limits.budgetPeriod,
    max_output_tokens: item.limits.maxOutputTokens,
    all_models: item.allowAllModels,
    models: item.allowedModels,
  };
}

/** Label and value, for people. `models`: in words. */
export function toLimitsFacts(limits: Limits, models: string): Readonly<Record<string, string>> {
  return {
    'requests/min': showLimit(limits.requestsPerMinute),
    'tokens/min': showLimit(limits.tokensPerMinute),
    concurrency: showLimit(limits.concurrency),
    budget: showBudget(limits),
    'max output': showLimit(limits.maxOutputTokens),
    models,
  };
}

export function showLimit(limit: number | null): string {
  return limit === null ? 'no limit' : limit.toLocaleString('en');
}

export function showBudget({ budgetTokens, budgetPeriod }: Limits): string {
  if (budgetTokens === null || budgetPeriod === null) return 'no limit';
  return `${showLimit(budgetTokens)}/${budgetPeriod}`;
}

/** RFC 3339 in UTC. */
export function toTime(date: Date): string;
export function toTime(date: Date | null): string | null;
export function toTime(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}

/** To the second, for people. */
export function showTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
