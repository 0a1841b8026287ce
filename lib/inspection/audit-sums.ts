import type { Queries } from '../tenants/queries.ts';

/** What is summed up, by its name in audit_log and token_ledger. */
export const SUMMED = ['requests', 'prompt_tokens', 'completion_tokens', 'charged_tokens'] as const;

export type Summed = (typeof SUMMED)[number];
export type Sums = Readonly<Record<Summed, number>>;

/** Both sums for one key and model of one day. */
export interface DaySums {
  readonly tenantId: string;
  readonly keyId: string;
  readonly model: string;
  readonly audited: Sums;
  readonly ledger: Sums;
  /** Every audit row of the tenant's day is still there. */
  readonly kept: boolean;
}

/** UTC days with audit rows or sums in the ledger, oldest first. */
export async function listDays(queries: Queries): Promise<readonly string[]> {
  const { rows } = await queries.query<{ day: string }>(SELECT_DAYS);
  return rows.map(({ day }) => day);
}

/** Both sums of a day, in one statement and so as of one moment. */
export async function readDaySums(queries: Queries, day: string): Promise<readonly DaySums[]> {
  const { rows } = await queries.query<DaySums>(SELECT_SUMS, [day]);
  return rows;
}

/** Each day by a look into the index, whatever the number of its rows. */
const SELECT_DAYS = `
  with recursive audited as (
    select min(admitted_at) as first from gateway.audit_log
    union all
    select (
      select min(admitted_at) from gateway.audit_log
      where admitted_at >= (date_trunc('day', a.first at time zone 'UTC') + interval '1 day')
        at time zone 'UTC'
    )
    from audited a where a.first is not null
  )
  select to_char(day, 'YYYY-MM-DD') as day from (
    select (first at time zone 'UTC')::date as day from audited where first is not null
    union
    select day from gateway.token_ledger
  ) days
  order by day`;

const sumsOf = (table: string): string =>
  `json_build_object(${SUMMED.map((name) => `'${name}', coalesce(${table}.${name}, 0)`).join(', ')})`;

/**
 * A refusal costs nothing and is no request; a day sealed for one key is not believed for any. Nor is
 * one that the next sweep deletes from (sql/000008).
 */
const SELECT_SUMS = `
  with audit as (
    select tenant_id, key_id, coalesce(model, '') as model,
      count(*) filter (where outcome <> 'refused') as requests,
      sum(prompt_tokens) as prompt_tokens,
      sum(completion_tokens) as completion_tokens,
      sum(charged_tokens) as charged_tokens
    from gateway.audit_log
    where admitted_at >= $1::date::timestamp at time zone 'UTC'
      and admitted_at < ($1::date + 1)::timestamp at time zone 'UTC'
    group by 1, 2, 3
  ), ledger as (
    select * from gateway.token_ledger where day = $1::date
  )
  select tenant_id as "tenantId", key_id as "keyId", model,
    ${sumsOf('audit')} as audited,
    ${sumsOf('ledger')} as ledger,
    not coalesce(bool_or(ledger.sealed) over (partition by tenant_id), false)
      and (t.audit_retention_days is null
        or $1::date >= (now() at time zone 'UTC')::date - t.audit_retention_days)
      as kept
  from audit full join ledger using (tenant_id, key_id, model)
    left join gateway.tenants t on t.id = tenant_id
  order by tenant_id, key_id, model`;
