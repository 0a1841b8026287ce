-- not breaking
--
-- Whoever writes, the gateway hears of it: versions rise, the log grows, a notification goes out.
-- The notification is a hint and carries nothing that a reader would have to trust. The functions
-- run as their owner, so they name the schemas they look in, the temporary one last.

-- Before an update: the version rises. After any change: a line in the log and a notification.
create function gateway.note_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, gateway, pg_temp
as $$
begin
  if tg_when = 'BEFORE' then
    new.version := old.version + 1;
    new.updated_at := now();
    return new;
  end if;
  if tg_op = 'UPDATE' and old is not distinct from new then
    return null;
  end if;
  if tg_table_name = 'api_keys' then
    insert into gateway.revocations (kind, key_id) values ('change', new.id);
  else
    insert into gateway.revocations (kind, tenant_id) values ('change', new.id);
  end if;
  return null;
end
$$;

-- Limits live beside their owner; their change is a change of the owner, or of both owners if they
-- move from one to another.
create function gateway.note_limit_change() returns trigger
language plpgsql security definer set search_path = pg_catalog, gateway, pg_temp
as $$
begin
  if old is not distinct from new then
    return null;
  end if;
  if tg_table_name = 'key_limits' then
    update gateway.api_keys set updated_at = clock_timestamp() where id in (old.key_id, new.key_id);
  else
    update gateway.tenants set updated_at = clock_timestamp()
      where id in (old.tenant_id, new.tenant_id);
  end if;
  return null;
end
$$;

-- The insert is the act: the key is marked in the same transaction, for any writer.
create function gateway.notify_key_revoked() returns trigger
language plpgsql security definer set search_path = pg_catalog, gateway, pg_temp
as $$
begin
  if new.kind = 'revocation' then
    update gateway.api_keys set status = 'revoked', revoked_at = now()
      where status <> 'revoked' and (id = new.key_id or tenant_id = new.tenant_id);
  end if;
  perform pg_notify('nzgw_changes', new.kind);
  return null;
end
$$;

-- Gateways know a key by its public id and believe what they know until they are told otherwise. So
-- what a row is known by never changes, and no row goes away: a deleted key would stay valid.
create function gateway.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'gateway.% is refused this: %', tg_table_name, tg_name
    using errcode = 'restrict_violation',
      hint = 'a key ends by an insert into gateway.revocations, a tenant by its status';
end
$$;

create trigger tenants_keep_their_id before update on gateway.tenants
  for each row when (old.id <> new.id) execute function gateway.refuse_change();
create trigger tenants_are_not_deleted before delete or truncate on gateway.tenants
  for each statement execute function gateway.refuse_change();
create trigger api_keys_keep_their_ids before update on gateway.api_keys
  for each row when ((old.id, old.public_id, old.tenant_id) <> (new.id, new.public_id, new.tenant_id))
  execute function gateway.refuse_change();
create trigger api_keys_are_not_deleted before delete or truncate on gateway.api_keys
  for each statement execute function gateway.refuse_change();

create trigger tenants_raise_version before update on gateway.tenants
  for each row when (old.* is distinct from new.*) execute function gateway.note_change();
create trigger tenants_note_change after insert or update on gateway.tenants
  for each row execute function gateway.note_change();
create trigger api_keys_raise_version before update on gateway.api_keys
  for each row when (old.* is distinct from new.*) execute function gateway.note_change();
create trigger api_keys_note_change after insert or update on gateway.api_keys
  for each row execute function gateway.note_change();
create trigger tenant_limits_note_change after insert or update or delete on gateway.tenant_limits
  for each row execute function gateway.note_limit_change();
create trigger key_limits_note_change after insert or update or delete on gateway.key_limits
  for each row execute function gateway.note_limit_change();
create trigger revocations_notify after insert on gateway.revocations
  for each row execute function gateway.notify_key_revoked();

-- Partitions of the audit log, one a UTC day. There is no default partition: it would have to be
-- scanned, and would block, when the day's own partition is made. Two gateways may ask at once; the
-- one that comes second finds it there.
create function gateway.ensure_audit_day(day date) returns void
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
  execute format(
    'create table gateway.%I partition of gateway.audit_log for values from (%L) to (%L)',
    partition,
    to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00',
    to_char(day + 1, 'YYYY-MM-DD') || ' 00:00:00+00'
  );
exception
  when duplicate_table or unique_violation then
    return;
end
$$;

-- Takes away at most 1,000 changes (never a revocation) and tells how many. Only those of transactions
-- that were over an hour ago: a line is as young as its commit, whatever its own time says. A gateway
-- that has not read for half an hour reads the whole directory instead of the log.
create function gateway.prune_changes() returns integer
language plpgsql security definer set search_path = pg_catalog, gateway, pg_temp
as $$
declare
  mark gateway_meta.log_marks;
  pruned integer;
begin
  if not pg_try_advisory_xact_lock(28282, -2) then
    return 0;
  end if;
  -- Marks of another server, brought by a dump, or of a clock that was set back.
  delete from gateway_meta.log_marks
    where over_before > pg_snapshot_xmin(pg_current_snapshot()) or at > clock_timestamp();
  if not exists (select from gateway_meta.log_marks where at > clock_timestamp() - interval '10 min') then
    insert into gateway_meta.log_marks values
      (clock_timestamp(), pg_snapshot_xmin(pg_current_snapshot()));
  end if;

  select at, over_before into mark from gateway_meta.log_marks
    where at < clock_timestamp() - interval '1 hour' order by at desc limit 1;
  delete from gateway_meta.log_marks where at < mark.at;
  delete from gateway.revocations where id in (
    select id from gateway.revocations
      where kind = 'change' and xid < mark.over_before and created_at < clock_timestamp() - interval '1 hour'
      order by xid limit 1000
  );
  get diagnostics pruned = row_count;
  return pruned;
end
$$;
