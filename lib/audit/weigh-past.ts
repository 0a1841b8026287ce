import type { Entry } from '../ledger/entry.ts';
import type { PostgresClient } from '../store/postgres.ts';
import { dayOf } from './ensure-days.ts';

type Client = Pick<PostgresClient, 'query'>;

export interface WeighedPast {
  /** Refusals that cost nothing, of days that are beyond their tenant's retention: no row is wanted. */
  readonly over: ReadonlySet<Entry>;
  /**
   * The row is not there, and rows of its line of the ledger were deleted: it may have been charged
   * before, in which case charging it again would be wrong.
   */
  readonly doubtful: ReadonlySet<Entry>;
}

/**
 * Tells which entries of past days must not simply become rows, in the open transaction: until its end
 * no partition is dropped, and no row of these lines is deleted. Everything else is decided by the one
 * rule of `insertEntries`, as ever. Rejects as Postgres does.
 */
export async function weighPast(client: Client, entries: readonly Entry[]): Promise<WeighedPast> {
  const asked = JSON.stringify(entries.map(toQuestion));
  await client.query('lock table only gateway.audit_log in row exclusive mode');
  // One that was just made may have been dropped again before the lock.
  await client.query('select gateway.ensure_audit_day(day) from unnest($1::date[]) as day', [
    [...new Set(entries.map(dayOf))],
  ]);
  // The next statement must see what a sweeper did that held them before: so this is one of its own.
  await client.query(LOCK_LINES, [asked]);
  const times = entries.map(({ admittedAtMs }) => admittedAtMs);
  const { rows } = await client.query<{ n: number; free: boolean }>(FIND, [
    asked,
    new Date(Math.min(...times)).toISOString(),
    new Date(Math.max(...times)).toISOString(),
  ]);
  const pick = (wanted: boolean): ReadonlySet<Entry> =>
    new Set(rows.filter(({ free }) => free === wanted).flatMap(({ n }) => entries[n] ?? []));
  return { over: pick(true), doubtful: pick(false) };
}

function toQuestion(entry: Entry, n: number): object {
  const { id, admittedAtMs, tenantId, keyId, model, outcome } = entry;
  const tokens = entry.promptTokens + entry.completionTokens + entry.chargedTokens;
  return {
    ...{ n, id, admittedAtMs, tenantId, keyId, model: model ?? '', day: dayOf(entry) },
    free: outcome === 'refused' && tokens === 0,
  };
}

const ASKED = `json_to_recordset($1::json) as asked (
      n integer, id uuid, "admittedAtMs" bigint, "tenantId" uuid, "keyId" uuid, model text, day date,
      free boolean
    )`;

/** In the order in which the sweeper locks them (sql/000008). */
const LOCK_LINES = `
  select 1 from gateway.token_ledger line
  where (line.tenant_id, line.key_id, line.model, line.day) in (
    select "tenantId", "keyId", model, day from ${ASKED}
  )
  order by line.tenant_id, line.key_id, line.model, line.day for share`;

const FIND = `
  select asked.n, asked.free from ${ASKED}
  where not exists (
      select from gateway.audit_log kept
      where kept.admitted_at between $2 and $3 and kept.id = asked.id
        and kept.admitted_at = timestamptz 'epoch' + asked."admittedAtMs" * interval '1 millisecond'
    )
    and case when asked.free then exists (
      select from gateway.tenants t
      where t.id = asked."tenantId"
        and asked.day < (now() at time zone 'UTC')::date - t.audit_retention_days
    ) else exists (
      select from gateway.token_ledger line
      where line.tenant_id = asked."tenantId" and line.key_id = asked."keyId"
        and line.model = asked.model and line.day = asked.day and line.sealed
    ) end`;
