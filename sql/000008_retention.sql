-- not breaking
--
-- Audit rows end with their tenant's retention, whole UTC days at a time. A day is sealed in the ledger in
-- the transaction that deletes its first row: nobody may take its sums for proved, or for not charged yet,
-- because rows are missing. So rows are deleted by the functions below and by nothing else that the gateway
-- may do. They go by the earlier of two clocks, the caller's and Postgres's: one that is wrong deletes
-- nothing early. A day is due when all of it is older than the days of retention, of which there is one at
-- least: never today, nor yesterday. A partition's name has no era: a day of before the first one that
-- gateway.ensure_audit_day makes is none, or 2026 BC would be very old and named like today.

-- Sealing a day asks for its lines by the day alone.
create index token_ledger_unsealed on gateway.token_ledger (day) where not sealed;

create table gateway_meta.sweeps (
  single       boolean primary key default true,
  day          date not null,
  finished_at  timestamptz not null default now(),
  constraint sweeps_has_one_row check (single)
);

-- As in 000002, but the day is made beside the audit log and then attached. Made as a partition it asked
-- for the audit log alone: whoever reads it was waited for, and the drain had to wait behind that.
create or replace function gateway.ensure_audit_day(day date) returns void
language plpgsql security definer set search_path = pg_catalog, gateway, pg_temp
as $$
declare
  partition text := 'audit_log_' || to_char(day, 'YYYYMMDD');
begin
  if day is null or day not between date '2020-01-01' and current_date + 366 then
    raise exception 'no audit partition is made for %', day using errcode = 'datetime_field_overflow';
  end if;
  if to_regclass(format('gateway.%I', partition)) is not null then
    return;
  end if;
  -- One at a time: the one that comes second finds it there.
  lock table only gateway.audit_log in share update exclusive mode;
  if to_regclass(format('gateway.%I', partition)) is not null then
    return;
  end if;
  execute format('create table gateway.%I (like gateway.audit_log including all)', partition);
  execute format(
    'alter table gateway.audit_log attach partition gateway.%I for values from (%L) to (%L)',
    partition,
    to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00',
    to_char(day + 1, 'YYYY-MM-DD') || ' 00:00:00+00'
  );
end
$$;

-- Deletes at most so many rows of a day, of tenants whose retention it has outlived (100 of them at a time),
-- and tells how many; 0: there are no more. Rows lie scattered among those of other tenants, so they are
-- found by the index of tenants even where statistics still speak of rows that are gone.
create function gateway.delete_audit_rows(of_day date, today date, most integer) returns integer
language plpgsql security definer
set search_path = pg_catalog, gateway, pg_temp set enable_seqscan = off
as $$
declare
  partition text := 'audit_log_' || to_char(of_day, 'YYYYMMDD');
  age integer := least(today, (clock_timestamp() at time zone 'UTC')::date) - of_day;
  due uuid[];
  times timestamptz[];
  ids uuid[];
  deleted integer;
begin
  if today is null or most is null or of_day < date '2020-01-01'
    or to_regclass(format('gateway.%I', partition)) is null
  then
    return 0;
  end if;
  execute format(
    'select array_agg(id) from (
       select t.id from gateway.tenants t
         cross join lateral (select from gateway.%I a where a.tenant_id = t.id limit 1) a
       where t.audit_retention_days < $1 limit 100
     ) due',
    partition
  ) into due using age;
  if due is null then
    return 0;
  end if;

  -- Chosen before anything is sealed: a row that a late entry brings after this, with a new line of the
  -- ledger, is for the next batch. Each statement sees what was committed before it.
  execute format(
    'select array_agg(admitted_at), array_agg(id) from (
       select admitted_at, id from gateway.%I where tenant_id = any ($1) limit $2
     ) chosen',
    partition
  ) into times, ids using due, least(most, 10000);

  -- Whoever brings a late entry of that day locks its line of the ledger first, in the same order.
  perform 1 from gateway.token_ledger line
    where line.tenant_id = any (due) and line.day = of_day
    order by line.tenant_id, line.key_id, line.model for no key update;
  update gateway.token_ledger line set sealed = true
    where line.tenant_id = any (due) and line.day = of_day and not line.sealed;
  execute format(
    'delete from gateway.%I row using unnest($1, $2) as chosen (admitted_at, id)
     where row.admitted_at = chosen.admitted_at and row.id = chosen.id',
    partition
  ) using times, ids;
  get diagnostics deleted = row_count;
  return deleted;
end
$$;

-- Drops the partition of a day that is older than the longest retention of any tenant; false: there is
-- none, or it is not that old. Whoever reads or writes the audit log meanwhile is waited for, and keeps
-- others waiting, half a second at most: then it fails, and may be tried again.
create function gateway.drop_audit_day(of_day date, today date) returns boolean
language plpgsql security definer
set search_path = pg_catalog, gateway, pg_temp set lock_timeout = '500ms'
as $$
declare
  partition text := 'audit_log_' || to_char(of_day, 'YYYYMMDD');
  age integer := least(today, (clock_timestamp() at time zone 'UTC')::date) - of_day;
begin
  if today is null or of_day < date '2020-01-01'
    or to_regclass(format('gateway.%I', partition)) is null
  then
    return false;
  end if;
  lock table only gateway.audit_log in access exclusive mode;
  if to_regclass(format('gateway.%I', partition)) is null
    or age <= coalesce((select max(t.audit_retention_days) from gateway.tenants t), 90)
  then
    return false;
  end if;
  -- Few, if any: who wants the day dropped seals it before, while nobody has to wait.
  update gateway.token_ledger line set sealed = true
    where line.tenant_id in (select t.id from gateway.tenants t) and line.day = of_day and not line.sealed;
  execute format('drop table gateway.%I', partition);
  return true;
end
$$;

comment on table gateway_meta.sweeps is 'The last sweep that was done to its end, in one row.';
comment on column gateway_meta.sweeps.single is 'Always true.';
comment on column gateway_meta.sweeps.day is 'The UTC day it counted from.';
comment on column gateway_meta.sweeps.finished_at is 'When it ended.';
comment on function gateway.delete_audit_rows(date, date, integer) is 'Deletes a batch of the audit rows of a UTC day that have outlived their tenant''s retention, and seals the day. Called by the sweeper.';
comment on function gateway.drop_audit_day(date, date) is 'Drops the audit partition of a UTC day that is older than the longest retention, and seals the day. Called by the sweeper.';

revoke all on function gateway.delete_audit_rows(date, date, integer), gateway.drop_audit_day(date, date) from public;
grant execute on function gateway.delete_audit_rows(date, date, integer), gateway.drop_audit_day(date, date)
  to gateway_runtime, gateway_admin;
grant select, insert, update on gateway_meta.sweeps to gateway_runtime;
grant select, insert, update, delete on gateway_meta.sweeps to gateway_admin;
revoke delete on gateway.audit_log from gateway_runtime;
