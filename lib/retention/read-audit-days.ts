import type { Connection } from '../store/postgres.ts';

/** What is to be done with days of the audit log, each list oldest first, as dates of Postgres. */
export interface AuditDays {
  /** The UTC day that a sweep counts from: the earlier of the caller's and Postgres's. */
  readonly today: string;
  /** Today and the next seven, where their partitions are missing. */
  readonly toMake: readonly string[];
  /** Older than the longest retention of any tenant. */
  readonly toDrop: readonly string[];
  /** Older than the shortest, so that some of their rows may have had their time. */
  readonly toThin: readonly string[];
}

interface Row {
  readonly today: string;
  readonly day: string | null;
  readonly act: 'make' | 'drop' | 'thin' | null;
}

/** Reads them; `wallDay` is the caller's UTC day. */
export async function readAuditDays(connection: Connection, wallDay: string): Promise<AuditDays> {
  const { rows } = await connection.query<Row>(SELECT, [wallDay]);
  const list = (wanted: Row['act']): readonly string[] =>
    rows.flatMap(({ act, day }) => (act === wanted && day !== null ? [day] : []));
  return {
    today: rows[0]?.today ?? wallDay,
    toMake: list('make'),
    toDrop: list('drop'),
    toThin: list('thin'),
  };
}

/** The UTC day of that time. */
export function toUtcDay(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}

const SELECT = `
  with clock as (
    select least($1::date, (now() at time zone 'UTC')::date) as today
  ), kept as (
    select coalesce(min(audit_retention_days), 90) as shortest,
      coalesce(max(audit_retention_days), 90) as longest
    from gateway.tenants
  ), there as (
    select to_date(right(c.relname, 8), 'YYYYMMDD') as day
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'gateway.audit_log'::regclass and c.relname ~ '^audit_log_[0-9]{8}$'
  ), found as (
    select today + n as day, 'make' as act from clock, generate_series(0, 7) n
    where today + n not in (select day from there)
    union all
    select day, case when day < today - longest then 'drop' else 'thin' end
    from there, clock, kept where day < today - shortest
  )
  select to_char(clock.today, 'YYYY-MM-DD') as today, to_char(found.day, 'YYYY-MM-DD') as day,
    found.act
  from clock left join found on true
  order by found.day`;
