import type { PostgresClient } from '../store/postgres.ts';

/** A day's worth of an attacker's or a bug's text must not fill the disk by one event. */
const MOST_CHARACTERS = 65_536;

/** Stands for the SQLSTATE of an event that never reached Postgres as a row. */
export const NOT_AN_ENTRY = 'NZ001';

/** Stands for the SQLSTATE of an entry of which nobody can say any more whether it was charged. */
export const DAY_SWEPT = 'NZ002';

/** Keeps what could not become a row, for a person to look at. */
export async function rejectEvent(
  client: Pick<PostgresClient, 'query'>,
  event: { readonly shard: number; readonly text: string; readonly sqlState: string },
): Promise<void> {
  const text = event.text.slice(0, MOST_CHARACTERS).replaceAll('\0', '\u{fffd}');
  await client.query(
    'insert into gateway_meta.rejected_events (shard, event, sqlstate) values ($1, $2, $3)',
    [event.shard, text, event.sqlState],
  );
}

/**
 * True for an error that lies in the entry and would come again for ever: bad data, a broken
 * constraint. Anything else lies in Postgres or on the way to it.
 */
export function isPoison(sqlState: string | undefined): sqlState is string {
  return sqlState !== undefined && /^2[23]/.test(sqlState);
}
