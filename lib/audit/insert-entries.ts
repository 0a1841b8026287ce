import type { Entry } from '../ledger/entry.ts';
import { readSqlState } from '../store/postgres.ts';
import type { PostgresClient } from '../store/postgres.ts';
import { isPoison } from './reject-event.ts';

type Client = Pick<PostgresClient, 'query'>;

/** One parameter whatever the batch's size, so that Postgres plans it once a session. */
const INSERT = {
  name: 'nzgw-insert-entries',
  text: `
    insert into gateway.audit_log (
      id, admitted_at, tenant_id, key_id, client_address, client_request_id, dialect, endpoint, model,
      status, outcome, refusal_code, prompt_tokens, completion_tokens, charged_tokens, count_source,
      first_token_ms, duration_ms, bytes_out, streamed
    )
    select
      id, timestamptz 'epoch' + "admittedAtMs" * interval '1 millisecond', "tenantId", "keyId",
      "clientAddress", "clientRequestId", dialect, endpoint, model,
      status, outcome, "refusalCode", "promptTokens", "completionTokens", "chargedTokens",
      "countSource", "firstTokenMs", "durationMs", "bytesOut", streamed
    from json_to_recordset($1::json) as entry (
      id uuid, "admittedAtMs" bigint, "tenantId" uuid, "keyId" uuid,
      "clientAddress" inet, "clientRequestId" text, dialect text, endpoint text, model text,
      status smallint, outcome text, "refusalCode" text,
      "promptTokens" bigint, "completionTokens" bigint, "chargedTokens" bigint,
      "countSource" text, "firstTokenMs" integer, "durationMs" integer, "bytesOut" bigint,
      streamed boolean
    )
    on conflict do nothing`,
} as const;

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

/** One row each; an entry that is there already, by id and time of admission, changes nothing. */
export async function insertEntries(client: Client, entries: readonly Entry[]): Promise<void> {
  await client.query({ ...INSERT, values: [JSON.stringify(entries)] });
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
