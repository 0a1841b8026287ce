import { daysOf } from '../ledger/counter.ts';
import type { Counter } from '../ledger/counter.ts';
import type { Queries } from '../tenants/queries.ts';

/** What the ledger has for each counter, in their order; read in one statement. */
export async function readLedgerSums(
  queries: Queries,
  counters: readonly Counter[],
): Promise<readonly number[]> {
  const wanted = counters.map(({ scope, period }, n) => {
    const days = daysOf(period);
    const id = scope.slice(2);
    return {
      n,
      key_id: scope.startsWith('k:') ? id : null,
      tenant_id: scope.startsWith('t:') ? id : null,
      from_day: days?.from ?? '-infinity',
      to_day: days?.to ?? 'infinity',
    };
  });
  const { rows } = await queries.query<{ n: number; tokens: number }>(SELECT, [
    JSON.stringify(wanted),
  ]);
  const sums = new Map(rows.map(({ n, tokens }) => [n, tokens]));
  return counters.map((_, n) => sums.get(n) ?? 0);
}

/** Apart by key and tenant, so that each has its index. */
const SELECT = `
  with wanted as (
    select * from json_to_recordset($1::json)
      as w (n integer, key_id uuid, tenant_id uuid, from_day date, to_day date)
  )
  select w.n, coalesce(sum(l.charged_tokens), 0)::bigint as tokens
  from wanted w join gateway.token_ledger l
    on l.key_id = w.key_id and l.day between w.from_day and w.to_day
  group by w.n
  union all
  select w.n, coalesce(sum(l.charged_tokens), 0)::bigint
  from wanted w join gateway.token_ledger l
    on l.tenant_id = w.tenant_id and l.day between w.from_day and w.to_day
  group by w.n`;
