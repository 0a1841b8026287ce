import type { Queries } from '../tenants/queries.ts';

export type UsageGroup = 'key' | 'model' | 'day';

export interface UsageQuestion {
  /** Null: of all tenants. */
  readonly tenantId: string | null;
  /** First day of it, `2026-11-23`; null: all there is. */
  readonly sinceDay: string | null;
  /** What is told apart beside the tenants. */
  readonly by: ReadonlySet<UsageGroup>;
}

/** What was used, of whom as far as that was told apart. */
export interface UsageRow {
  /** Slug of the tenant. */
  readonly tenant: string;
  /** Public id of the key. */
  readonly key: string | null;
  readonly model: string | null;
  /** UTC day of admission. */
  readonly day: string | null;
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly chargedTokens: number;
}

/** Sums of the ledger, oldest day first, then by tenant, key and model. */
export async function readUsage(
  queries: Queries,
  { tenantId, sinceDay, by }: UsageQuestion,
): Promise<readonly UsageRow[]> {
  const told = [by.has('key'), by.has('model'), by.has('day')];
  const { rows } = await queries.query<UsageRow>(SELECT, [tenantId, sinceDay, ...told]);
  return rows;
}

const SELECT = `
  select t.slug as tenant,
    case when $3::boolean then k.public_id end as key,
    case when $4::boolean then l.model end as model,
    case when $5::boolean then to_char(l.day, 'YYYY-MM-DD') end as day,
    sum(l.requests)::bigint as requests,
    sum(l.prompt_tokens)::bigint as "promptTokens",
    sum(l.completion_tokens)::bigint as "completionTokens",
    sum(l.charged_tokens)::bigint as "chargedTokens"
  from gateway.token_ledger l
    join gateway.tenants t on t.id = l.tenant_id
    join gateway.api_keys k on k.id = l.key_id
  where ($1::uuid is null or l.tenant_id = $1::uuid) and ($2::date is null or l.day >= $2::date)
  group by 1, 2, 3, 4
  order by 4, 1, 2, 3`;
