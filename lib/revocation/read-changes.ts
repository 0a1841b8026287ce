import type { KeyRow, TenantRow } from '../shared/records.ts';
import type { PostgresClient } from '../store/postgres.ts';
import { IS_STANDBY, refuseStandby } from '../store/standby.ts';
import { KEY_JSON, KEY_TABLES, TENANT_JSON, TENANT_TABLES } from './row-json.ts';

/** Up to where the change log was read. */
export interface ReadPoint {
  /** Text of a `pg_snapshot`: which transactions were over, and so have been read. */
  readonly snapshot: string;
  /** The server's process: another one may belong to another Postgres (behind a pooler, say). */
  readonly session: number;
  /** When that was, by the server's clock, in ms since 1970. */
  readonly readAtMs: number;
}

export interface ChangedRows {
  readonly keys: readonly KeyRow[];
  readonly tenants: readonly TenantRow[];
  /** A revocation is among the changes: somebody may wait to hear that it is known here. */
  readonly revoked: boolean;
  readonly point: ReadPoint;
}

/** So many changes in one poll are read faster as a whole. */
const MAX_CHANGES = 5_000;

/** Lines of the log are kept for an hour after they are over; a reader that slept may miss some. */
const MAX_SLEEP_MS = 30 * 60_000;

/** A ReadPoint as POINT gives it; one of a standby is worth nothing. */
export interface PointRow extends ReadPoint {
  readonly standby: boolean;
}

/** SQL of a PointRow. */
export const POINT = `
  ${IS_STANDBY},
  pg_current_snapshot()::text as snapshot,
  pg_backend_pid() as session,
  floor(extract(epoch from clock_timestamp()) * 1000)::bigint as "readAtMs"`;

/**
 * The rows that changed since `point`, in one statement, which is one snapshot. Serial ids commit
 * out of order; so a line of the log is new exactly if its transaction was not over in the snapshot
 * that was read last, however old its id. undefined: too many, another server process, or too long
 * ago; the whole directory must be read. Rejects as the connection does, or with StandbyError.
 */
export async function readChanges(
  client: PostgresClient,
  point: ReadPoint,
): Promise<ChangedRows | undefined> {
  const { rows } = await client.query<PointRow & ChangedRows & { changes: number }>({
    name: 'read-changes',
    text: READ,
    values: [point.snapshot, MAX_CHANGES + 1],
  });
  const [read] = rows;
  if (read === undefined) return undefined;
  refuseStandby(read);
  if (read.changes > MAX_CHANGES) return undefined;
  if (read.session !== point.session) return undefined;
  if (read.readAtMs - point.readAtMs > MAX_SLEEP_MS) return undefined;
  const { keys, tenants, revoked, snapshot, session, readAtMs } = read;
  return { keys, tenants, revoked, point: { snapshot, session, readAtMs } };
}

/**
 * The last condition leaves out lines that a restored dump brought from another server, whose
 * transactions are yet to come here; they would be read again and again. The arrays make the
 * planner go by primary key.
 */
const READ = `
  with fresh as materialized (
    select kind, key_id, tenant_id from gateway.revocations
    where xid >= pg_snapshot_xmin($1::pg_snapshot)
      and not pg_visible_in_snapshot(xid, $1::pg_snapshot)
      and pg_visible_in_snapshot(xid, pg_current_snapshot())
    limit $2
  )
  select ${POINT},
    (select count(*) from fresh) as changes,
    exists (select from fresh where kind = 'revocation') as revoked,
    (select coalesce(json_agg(${KEY_JSON}), '[]') from ${KEY_TABLES}
      where k.id = any(array(select key_id from fresh))) as keys,
    (select coalesce(json_agg(${TENANT_JSON}), '[]') from ${TENANT_TABLES}
      where t.id = any(array(select tenant_id from fresh))) as tenants`;
