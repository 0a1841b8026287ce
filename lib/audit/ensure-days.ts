import type { Entry } from '../ledger/entry.ts';
import { readSqlState } from '../store/postgres.ts';
import type { PostgresClient } from '../store/postgres.ts';
import { isPoison } from './reject-event.ts';

type Client = Pick<PostgresClient, 'query'>;

export interface EnsuredDays {
  /** Days that Postgres will never make a partition for, each with the SQLSTATE that says so. */
  readonly refused: ReadonlyMap<string, string>;
  /** Days before today, by Postgres's clock, or before the last sweep's: rows of them may be gone. */
  readonly past: ReadonlySet<string>;
}

/**
 * Makes the partitions of the days that the entries were admitted on, outside any transaction of
 * ours. Rejects as Postgres does for what does not lie in the days.
 */
export async function ensureDays(client: Client, entries: readonly Entry[]): Promise<EnsuredDays> {
  const days = [...new Set(entries.map(dayOf))];
  const refused = new Map<string, string>();
  const all = await ensure(client, days);
  if (typeof all !== 'string') return { refused, past: new Set(all) };
  const past = new Set<string>();
  for (const day of days) {
    const one = await ensure(client, [day]);
    if (typeof one === 'string') refused.set(day, one);
    else one.forEach((name) => past.add(name));
  }
  return { refused, past };
}

/** The UTC day of an entry's admission, as a date of Postgres. */
export function dayOf(entry: Pick<Entry, 'admittedAtMs'>): string {
  return new Date(entry.admittedAtMs).toISOString().slice(0, 10);
}

/** Those before today; the SQLSTATE where a day will not do, now or later. Rejects for any other fault. */
async function ensure(
  client: Client,
  days: readonly string[],
): Promise<readonly string[] | string> {
  try {
    const { rows } = await client.query<{ day: string; past: boolean }>(ENSURE, [days]);
    return rows.filter(({ past }) => past).map(({ day }) => day);
  } catch (error) {
    const sqlState = readSqlState(error);
    if (!isPoison(sqlState)) throw error;
    return sqlState;
  }
}

const ENSURE = `
  select gateway.ensure_audit_day(day), to_char(day, 'YYYY-MM-DD') as day,
    day < greatest((now() at time zone 'UTC')::date, (select day from gateway_meta.sweeps)) as past
  from unnest($1::date[]) as day`;
