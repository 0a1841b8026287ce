import { daysOf } from '../ledger/counter.ts';
import type { Counter, LedgerSum } from '../ledger/counter.ts';

/** Each side has an index of its own that holds all it reads (sql/000006). */
const READ = `
    select
      case wanted.level
        when 'k' then (
          select sum(line.charged_tokens) from gateway.token_ledger line
          where line.key_id = wanted.id and line.day between wanted.first and wanted.last
        )
        else (
          select sum(line.charged_tokens) from gateway.token_ledger line
          where line.tenant_id = wanted.id and line.day between wanted.first and wanted.last
        )
      end::bigint as tokens
    from unnest($1::text[], $2::uuid[], $3::date[], $4::date[])
      with ordinality as wanted (level, id, first, last, place)
    order by place`;

/** Runs one statement: the owner's session, or what an operator's command has. */
interface Queries {
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- who writes the SQL names its row
  query<Row extends object>(
    text: string,
    values: unknown[],
  ): Promise<{ readonly rows: readonly Row[] }>;
}

/** What the ledger has charged for each counter's scope and period. Rejects as Postgres does. */
export async function readSums(
  queries: Queries,
  counters: readonly Counter[],
): Promise<readonly LedgerSum[]> {
  const days = counters.map(({ period }) => daysOf(period));
  const { rows } = await queries.query<{ tokens: number | null }>(READ, [
    counters.map(({ scope }) => scope.slice(0, 1)),
    counters.map(({ scope }) => scope.slice(2)),
    days.map((range) => range?.from ?? '-infinity'),
    days.map((range) => range?.to ?? 'infinity'),
  ]);
  return counters.map((counter, n) => ({ ...counter, tokens: rows[n]?.tokens ?? 0 }));
}
