import type { UsageGroup, UsageRow } from '../../lib/inspection/usage.ts';

/** A row of `usage` in `--json`. What was not told apart is null. */
export interface UsageDocument {
  readonly tenant: string;
  readonly key: string | null;
  readonly model: string | null;
  readonly requests: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly charged_tokens: number;
  readonly day: string | null;
}

type Columns = Readonly<Record<string, (row: UsageRow) => string>>;

export function toUsageDocument(row: UsageRow): UsageDocument {
  return {
    tenant: row.tenant,
    key: toKey(row),
    model: row.model,
    requests: row.requests,
    prompt_tokens: row.promptTokens,
    completion_tokens: row.completionTokens,
    charged_tokens: row.chargedTokens,
    day: row.day,
  };
}

/** What a table has: only what was told apart. */
export function toUsageColumns(by: ReadonlySet<UsageGroup>): Columns {
  return {
    ...(by.has('day') && { day: (row) => row.day ?? '-' }),
    tenant: (row) => row.tenant,
    ...(by.has('key') && { key: (row) => toKey(row) ?? '-' }),
    ...(by.has('model') && { model: (row) => row.model ?? '-' }),
    requests: (row) => show(row.requests),
    prompt: (row) => show(row.promptTokens),
    completion: (row) => show(row.completionTokens),
    charged: (row) => show(row.chargedTokens),
  };
}

/** Every column of the documents, by the same names; what was not told apart is empty. */
export const USAGE_CSV: Columns = {
  tenant: (row) => row.tenant,
  key: (row) => toKey(row) ?? '',
  model: (row) => row.model ?? '',
  requests: (row) => String(row.requests),
  prompt_tokens: (row) => String(row.promptTokens),
  completion_tokens: (row) => String(row.completionTokens),
  charged_tokens: (row) => String(row.chargedTokens),
  day: (row) => row.day ?? '',
};

function toKey({ key }: UsageRow): string | null {
  return key === null ? null : `nz_${key}`;
}

function show(count: number): string {
  return count.toLocaleString('en');
}
