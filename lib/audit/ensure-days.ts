import type { Entry } from '../ledger/entry.ts';
import { readSqlState } from '../store/postgres.ts';
import type { PostgresClient } from '../store/postgres.ts';
import { isPoison } from './reject-event.ts';

type Client = Pick<PostgresClient, 'query'>;

/**
 * Makes the partitions of the days that the entries were admitted on, outside any transaction of
 * ours. Returns the days that Postgres will never make one for, each with the SQLSTATE that says so.
 */
export async function ensureDays(
  client: Client,
  entries: readonly Entry[],
): Promise<ReadonlyMap<string, string>> {
  const days = [...new Set(entries.map(dayOf))];
  const refused = new Map<string, string>();
  if ((await ensure(client, days)) === undefined) return refused;
  for (const day of days) {
    const sqlState = await ensure(client, [day]);
    if (sqlState !== undefined) refused.set(day, sqlState);
  }
  return refused;
}

/** The UTC day of an entry's admission, as a date of Postgres. */
export function dayOf(entry: Pick<Entry, 'admittedAtMs'>): string {
  return new Date(entry.admittedAtMs).toISOString().slice(0, 10);
}

/** The SQLSTATE where a day will not do, now or later; rejects for any other fault. */
async function ensure(client: Client, days: readonly string[]): Promise<string | undefined> {
  try {
    await client.query('select gateway.ensure_audit_day(day) from unnest($1::date[]) as day', [
      days,
    ]);
    return undefined;
  } catch (error) {
    const sqlState = readSqlState(error);
    if (!isPoison(sqlState)) throw error;
    return sqlState;
  }
}
