-- What the migrations make. Generated; see the test schema-dump.

-- types
gateway.budget_period enum ('day', 'month', 'total')
gateway.key_status enum ('active', 'revoked')
gateway.tenant_status enum ('active', 'suspended', 'closed')

-- tables
gateway.api_keys
gateway.audit_log partitioned RANGE (admitted_at)
gateway.key_limits
gateway.prompt_log
gateway.revocations
gateway.tenant_limits
gateway.tenants
gateway.token_ledger
gateway_meta.log_marks
gateway_meta.migrations
gateway_meta.rejected_events
gateway_meta.settings
gateway_meta.sweeps

-- columns
gateway.api_keys.id uuid not null default gen_random_uuid()
gateway.api_keys.tenant_id uuid not null
gateway.api_keys.public_id text not null
gateway.api_keys.name text not null default ''::text
gateway.api_keys.hash text not null
gateway.api_keys.secret_tag bytea
gateway.api_keys.status gateway.key_status not null default 'active'::gateway.key_status
gateway.api_keys.expires_at timestamp with time zone
gateway.api_keys.allow_all_models boolean
gateway.api_keys.allowed_models text[]
gateway.api_keys.prompt_log boolean not null default false
gateway.api_keys.prompt_log_ttl_days integer not null default 7
gateway.api_keys.version bigint not null default 1
gateway.api_keys.created_at timestamp with time zone not null default now()
gateway.api_keys.updated_at timestamp with time zone not null default now()
gateway.api_keys.revoked_at timestamp with time zone
gateway.audit_log.id uuid not null
gateway.audit_log.admitted_at timestamp with time zone not null
gateway.audit_log.tenant_id uuid not null
gateway.audit_log.key_id uuid not null
gateway.audit_log.client_address inet
gateway.audit_log.client_request_id text
gateway.audit_log.dialect text not null
gateway.audit_log.endpoint text not null
gateway.audit_log.model text
gateway.audit_log.status smallint not null
gateway.audit_log.outcome text not null
gateway.audit_log.refusal_code text
gateway.audit_log.prompt_tokens bigint not null default 0
gateway.audit_log.completion_tokens bigint not null default 0
gateway.audit_log.charged_tokens bigint not null default 0
gateway.audit_log.count_source text not null
gateway.audit_log.first_token_ms integer
gateway.audit_log.duration_ms integer not null
gateway.audit_log.bytes_out bigint not null default 0
gateway.audit_log.streamed boolean not null
gateway.key_limits.key_id uuid not null
gateway.key_limits.requests_per_minute integer
gateway.key_limits.tokens_per_minute bigint
gateway.key_limits.concurrency integer
gateway.key_limits.budget_tokens bigint
gateway.key_limits.budget_period gateway.budget_period
gateway.key_limits.max_output_tokens integer
gateway.prompt_log.id uuid not null
gateway.prompt_log.tenant_id uuid not null
gateway.prompt_log.key_id uuid not null
gateway.prompt_log.created_at timestamp with time zone not null default now()
gateway.prompt_log.expires_at timestamp with time zone not null
gateway.prompt_log.cut boolean not null default false
gateway.prompt_log.nonce bytea not null
gateway.prompt_log.sealed bytea not null
gateway.revocations.id bigint not null generated always as identity
gateway.revocations.kind text not null default 'revocation'::text
gateway.revocations.key_id uuid
gateway.revocations.tenant_id uuid
gateway.revocations.reason text
gateway.revocations.xid xid8 not null default pg_current_xact_id()
gateway.revocations.created_at timestamp with time zone not null default now()
gateway.revocations.created_by text not null default SESSION_USER
gateway.tenant_limits.tenant_id uuid not null
gateway.tenant_limits.requests_per_minute integer
gateway.tenant_limits.tokens_per_minute bigint
gateway.tenant_limits.concurrency integer
gateway.tenant_limits.budget_tokens bigint
gateway.tenant_limits.budget_period gateway.budget_period
gateway.tenant_limits.max_output_tokens integer
gateway.tenants.id uuid not null default gen_random_uuid()
gateway.tenants.slug text not null
gateway.tenants.name text not null
gateway.tenants.status gateway.tenant_status not null default 'active'::gateway.tenant_status
gateway.tenants.allow_all_models boolean not null default false
gateway.tenants.allowed_models text[] not null default '{}'::text[]
gateway.tenants.allow_runtime_options boolean not null default false
gateway.tenants.max_num_ctx integer
gateway.tenants.audit_retention_days integer not null default 90
gateway.tenants.version bigint not null default 1
gateway.tenants.created_at timestamp with time zone not null default now()
gateway.tenants.updated_at timestamp with time zone not null default now()
gateway.token_ledger.tenant_id uuid not null
gateway.token_ledger.key_id uuid not null
gateway.token_ledger.model text not null
gateway.token_ledger.day date not null
gateway.token_ledger.requests bigint not null default 0
gateway.token_ledger.prompt_tokens bigint not null default 0
gateway.token_ledger.completion_tokens bigint not null default 0
gateway.token_ledger.charged_tokens bigint not null default 0
gateway.token_ledger.sealed boolean not null default false
gateway_meta.log_marks.at timestamp with time zone not null
gateway_meta.log_marks.over_before xid8 not null
gateway_meta.migrations.id integer not null
gateway_meta.migrations.name text not null
gateway_meta.migrations.digest text not null
gateway_meta.migrations.breaking boolean not null
gateway_meta.migrations.applied_at timestamp with time zone not null default now()
gateway_meta.rejected_events.id bigint not null generated always as identity
gateway_meta.rejected_events.shard integer not null
gateway_meta.rejected_events.event text not null
gateway_meta.rejected_events.sqlstate text not null
gateway_meta.rejected_events.at timestamp with time zone not null default now()
gateway_meta.settings.single boolean not null default true
gateway_meta.settings.shards integer not null
gateway_meta.sweeps.single boolean not null default true
gateway_meta.sweeps.day date not null
gateway_meta.sweeps.finished_at timestamp with time zone not null default now()

-- constraints
gateway.api_keys.api_keys_hash_is_affordable CHECK ((((("substring"(hash, 'm=([0-9]{1,7}),'::text))::integer >= 8) AND (("substring"(hash, 'm=([0-9]{1,7}),'::text))::integer <= 1048576)) AND ((("substring"(hash, ',t=([0-9]{1,2}),'::text))::integer >= 1) AND (("substring"(hash, ',t=([0-9]{1,2}),'::text))::integer <= 20)) AND ((("substring"(hash, ',p=([0-9]{1,2})[$]'::text))::integer >= 1) AND (("substring"(hash, ',p=([0-9]{1,2})[$]'::text))::integer <= 16))))
gateway.api_keys.api_keys_hash_is_argon2id CHECK ((hash ~ '^[$]argon2id[$]v=19[$]m=[1-9][0-9]{0,6},t=[1-9][0-9]?,p=[1-9][0-9]?[$][A-Za-z0-9+/]{11,86}[$][A-Za-z0-9+/]{22,86}$'::text))
gateway.api_keys.api_keys_models_are_bounded CHECK (((cardinality(allowed_models) <= 1000) AND (array_position(allowed_models, NULL::text) IS NULL)))
gateway.api_keys.api_keys_name_has_a_length CHECK ((char_length(name) <= 200))
gateway.api_keys.api_keys_pkey PRIMARY KEY (id)
gateway.api_keys.api_keys_public_id_is_unique UNIQUE (public_id)
gateway.api_keys.api_keys_public_id_is_well_formed CHECK ((public_id ~ '^[A-Za-z0-9]{12}$'::text))
gateway.api_keys.api_keys_revoked_has_a_time CHECK (((status = 'revoked'::gateway.key_status) = (revoked_at IS NOT NULL)))
gateway.api_keys.api_keys_secret_tag_has_16_bytes CHECK ((octet_length(secret_tag) = 16))
gateway.api_keys.api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES gateway.tenants(id)
gateway.api_keys.api_keys_ttl_is_sane CHECK (((prompt_log_ttl_days >= 1) AND (prompt_log_ttl_days <= 3650)))
gateway.audit_log.audit_log_dialect_is_known CHECK ((dialect = ANY (ARRAY['native'::text, 'openai'::text])))
gateway.audit_log.audit_log_outcome_is_known CHECK ((outcome = ANY (ARRAY['ok'::text, 'client_gone'::text, 'upstream_error'::text, 'upstream_incomplete'::text, 'revoked'::text, 'lost'::text, 'refused'::text])))
gateway.audit_log.audit_log_pkey PRIMARY KEY (admitted_at, id)
gateway.audit_log.audit_log_refusal_has_a_code CHECK (((outcome = 'refused'::text) = (refusal_code IS NOT NULL)))
gateway.audit_log.audit_log_source_is_known CHECK ((count_source = ANY (ARRAY['reported'::text, 'estimated'::text, 'none'::text])))
gateway.audit_log.audit_log_tokens_are_not_negative CHECK (((prompt_tokens >= 0) AND (completion_tokens >= 0) AND (charged_tokens >= 0)))
gateway.key_limits.key_limits_are_exact_in_redis CHECK (((tokens_per_minute <= '1000000000000000'::bigint) AND (budget_tokens <= '1000000000000000'::bigint)))
gateway.key_limits.key_limits_are_not_negative CHECK (((requests_per_minute >= 0) AND (tokens_per_minute >= 0) AND (concurrency >= 0) AND (budget_tokens >= 0) AND (max_output_tokens >= 0)))
gateway.key_limits.key_limits_budget_has_a_period CHECK (((budget_tokens IS NULL) = (budget_period IS NULL)))
gateway.key_limits.key_limits_key_id_fkey FOREIGN KEY (key_id) REFERENCES gateway.api_keys(id) ON DELETE CASCADE
gateway.key_limits.key_limits_pkey PRIMARY KEY (key_id)
gateway.prompt_log.prompt_log_ends_after_it_began CHECK ((expires_at > created_at))
gateway.prompt_log.prompt_log_key_id_fkey FOREIGN KEY (key_id) REFERENCES gateway.api_keys(id)
gateway.prompt_log.prompt_log_nonce_has_12_bytes CHECK ((octet_length(nonce) = 12))
gateway.prompt_log.prompt_log_pkey PRIMARY KEY (id)
gateway.prompt_log.prompt_log_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES gateway.tenants(id)
gateway.revocations.revocations_key_id_fkey FOREIGN KEY (key_id) REFERENCES gateway.api_keys(id)
gateway.revocations.revocations_kind_is_known CHECK ((kind = ANY (ARRAY['revocation'::text, 'change'::text])))
gateway.revocations.revocations_names_one CHECK (((key_id IS NULL) <> (tenant_id IS NULL)))
gateway.revocations.revocations_pkey PRIMARY KEY (id)
gateway.revocations.revocations_reason_has_a_length CHECK ((char_length(reason) <= 1000))
gateway.revocations.revocations_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES gateway.tenants(id)
gateway.tenant_limits.tenant_limits_are_exact_in_redis CHECK (((tokens_per_minute <= '1000000000000000'::bigint) AND (budget_tokens <= '1000000000000000'::bigint)))
gateway.tenant_limits.tenant_limits_are_not_negative CHECK (((requests_per_minute >= 0) AND (tokens_per_minute >= 0) AND (concurrency >= 0) AND (budget_tokens >= 0) AND (max_output_tokens >= 0)))
gateway.tenant_limits.tenant_limits_budget_has_a_period CHECK (((budget_tokens IS NULL) = (budget_period IS NULL)))
gateway.tenant_limits.tenant_limits_pkey PRIMARY KEY (tenant_id)
gateway.tenant_limits.tenant_limits_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES gateway.tenants(id) ON DELETE CASCADE
gateway.tenants.tenants_max_num_ctx_is_positive CHECK (((max_num_ctx >= 4) AND (max_num_ctx <= 10000000)))
gateway.tenants.tenants_models_are_bounded CHECK (((cardinality(allowed_models) <= 1000) AND (array_position(allowed_models, NULL::text) IS NULL)))
gateway.tenants.tenants_name_has_a_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200)))
gateway.tenants.tenants_pkey PRIMARY KEY (id)
gateway.tenants.tenants_retention_is_sane CHECK (((audit_retention_days >= 1) AND (audit_retention_days <= 3650)))
gateway.tenants.tenants_slug_is_unique UNIQUE (slug)
gateway.tenants.tenants_slug_is_well_formed CHECK ((slug ~ '^[a-z0-9-]{2,40}$'::text))
gateway.token_ledger.token_ledger_key_id_fkey FOREIGN KEY (key_id) REFERENCES gateway.api_keys(id)
gateway.token_ledger.token_ledger_pkey PRIMARY KEY (tenant_id, key_id, model, day)
gateway.token_ledger.token_ledger_sums_are_not_negative CHECK (((requests >= 0) AND (prompt_tokens >= 0) AND (completion_tokens >= 0) AND (charged_tokens >= 0)))
gateway.token_ledger.token_ledger_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES gateway.tenants(id)
gateway_meta.log_marks.log_marks_pkey PRIMARY KEY (at)
gateway_meta.migrations.migrations_pkey PRIMARY KEY (id)
gateway_meta.rejected_events.rejected_events_pkey PRIMARY KEY (id)
gateway_meta.rejected_events.rejected_events_shard_is_a_shard CHECK (((shard >= 0) AND (shard <= 98)))
gateway_meta.rejected_events.rejected_events_sqlstate_is_one CHECK ((sqlstate ~ '^[0-9A-Z]{5}$'::text))
gateway_meta.settings.settings_has_one_row CHECK (single)
gateway_meta.settings.settings_pkey PRIMARY KEY (single)
gateway_meta.settings.settings_shards_fit_two_digits CHECK (((shards >= 1) AND (shards <= 99)))
gateway_meta.sweeps.sweeps_has_one_row CHECK (single)
gateway_meta.sweeps.sweeps_pkey PRIMARY KEY (single)

-- indexes
CREATE INDEX api_keys_tenant ON gateway.api_keys USING btree (tenant_id)
CREATE INDEX audit_log_key ON ONLY gateway.audit_log USING btree (key_id, admitted_at)
CREATE INDEX audit_log_tenant ON ONLY gateway.audit_log USING btree (tenant_id, admitted_at)
CREATE INDEX prompt_log_expiry ON gateway.prompt_log USING btree (expires_at)
CREATE INDEX prompt_log_tenant ON gateway.prompt_log USING btree (tenant_id, created_at, id)
CREATE INDEX revocations_changes ON gateway.revocations USING btree (xid) WHERE (kind = 'change'::text)
CREATE INDEX revocations_key ON gateway.revocations USING btree (key_id) WHERE (key_id IS NOT NULL)
CREATE INDEX revocations_tenant ON gateway.revocations USING btree (tenant_id) WHERE (tenant_id IS NOT NULL)
CREATE INDEX revocations_xid ON gateway.revocations USING btree (xid)
CREATE INDEX token_ledger_key_sums ON gateway.token_ledger USING btree (key_id, day) INCLUDE (charged_tokens)
CREATE INDEX token_ledger_tenant_sums ON gateway.token_ledger USING btree (tenant_id, day) INCLUDE (charged_tokens)
CREATE INDEX token_ledger_unsealed ON gateway.token_ledger USING btree (day) WHERE (NOT sealed)
CREATE UNIQUE INDEX api_keys_pkey ON gateway.api_keys USING btree (id)
CREATE UNIQUE INDEX api_keys_public_id_is_unique ON gateway.api_keys USING btree (public_id)
CREATE UNIQUE INDEX audit_log_pkey ON ONLY gateway.audit_log USING btree (admitted_at, id)
CREATE UNIQUE INDEX key_limits_pkey ON gateway.key_limits USING btree (key_id)
CREATE UNIQUE INDEX log_marks_pkey ON gateway_meta.log_marks USING btree (at)
CREATE UNIQUE INDEX migrations_pkey ON gateway_meta.migrations USING btree (id)
CREATE UNIQUE INDEX prompt_log_pkey ON gateway.prompt_log USING btree (id)
CREATE UNIQUE INDEX rejected_events_pkey ON gateway_meta.rejected_events USING btree (id)
CREATE UNIQUE INDEX revocations_pkey ON gateway.revocations USING btree (id)
CREATE UNIQUE INDEX settings_pkey ON gateway_meta.settings USING btree (single)
CREATE UNIQUE INDEX sweeps_pkey ON gateway_meta.sweeps USING btree (single)
CREATE UNIQUE INDEX tenant_limits_pkey ON gateway.tenant_limits USING btree (tenant_id)
CREATE UNIQUE INDEX tenants_pkey ON gateway.tenants USING btree (id)
CREATE UNIQUE INDEX tenants_slug_is_unique ON gateway.tenants USING btree (slug)
CREATE UNIQUE INDEX token_ledger_pkey ON gateway.token_ledger USING btree (tenant_id, key_id, model, day)

-- triggers
CREATE TRIGGER api_keys_are_not_deleted BEFORE DELETE OR TRUNCATE ON gateway.api_keys FOR EACH STATEMENT EXECUTE FUNCTION gateway.refuse_change()
CREATE TRIGGER api_keys_keep_their_ids BEFORE UPDATE ON gateway.api_keys FOR EACH ROW WHEN (((old.id <> new.id) OR (old.public_id <> new.public_id) OR (old.tenant_id <> new.tenant_id))) EXECUTE FUNCTION gateway.refuse_change()
CREATE TRIGGER api_keys_note_change AFTER INSERT OR UPDATE ON gateway.api_keys FOR EACH ROW EXECUTE FUNCTION gateway.note_change()
CREATE TRIGGER api_keys_raise_version BEFORE UPDATE ON gateway.api_keys FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION gateway.note_change()
CREATE TRIGGER key_limits_note_change AFTER INSERT OR DELETE OR UPDATE ON gateway.key_limits FOR EACH ROW EXECUTE FUNCTION gateway.note_limit_change()
CREATE TRIGGER revocations_notify AFTER INSERT ON gateway.revocations FOR EACH ROW EXECUTE FUNCTION gateway.notify_key_revoked()
CREATE TRIGGER tenant_limits_note_change AFTER INSERT OR DELETE OR UPDATE ON gateway.tenant_limits FOR EACH ROW EXECUTE FUNCTION gateway.note_limit_change()
CREATE TRIGGER tenants_are_not_deleted BEFORE DELETE OR TRUNCATE ON gateway.tenants FOR EACH STATEMENT EXECUTE FUNCTION gateway.refuse_change()
CREATE TRIGGER tenants_keep_their_id BEFORE UPDATE ON gateway.tenants FOR EACH ROW WHEN ((old.id <> new.id)) EXECUTE FUNCTION gateway.refuse_change()
CREATE TRIGGER tenants_note_change AFTER INSERT OR UPDATE ON gateway.tenants FOR EACH ROW EXECUTE FUNCTION gateway.note_change()
CREATE TRIGGER tenants_raise_version BEFORE UPDATE ON gateway.tenants FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION gateway.note_change()

-- functions
CREATE OR REPLACE FUNCTION gateway.delete_audit_rows(of_day date, today date, most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'gateway', 'pg_temp'
 SET enable_seqscan TO 'off'
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION gateway.drop_audit_day(of_day date, today date)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'gateway', 'pg_temp'
 SET lock_timeout TO '500ms'
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION gateway.ensure_audit_day(day date)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'gateway', 'pg_temp'
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION gateway.note_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'gateway', 'pg_temp'
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION gateway.note_limit_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'gateway', 'pg_temp'
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION gateway.notify_key_revoked()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'gateway', 'pg_temp'
AS $function$
begin
  if new.kind = 'revocation' then
    update gateway.api_keys set status = 'revoked', revoked_at = now()
      where status <> 'revoked' and (id = new.key_id or tenant_id = new.tenant_id);
  end if;
  perform pg_notify('nzgw_changes', new.kind);
  return null;
end
$function$
CREATE OR REPLACE FUNCTION gateway.prune_changes()
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'gateway', 'pg_temp'
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION gateway.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  raise exception 'gateway.% is refused this: %', tg_table_name, tg_name
    using errcode = 'restrict_violation',
      hint = 'a key ends by an insert into gateway.revocations, a tenant by its status';
end
$function$

-- grants
gateway.api_keys to gateway_admin: insert, select, update
gateway.api_keys to gateway_runtime: select
gateway.api_keys.allow_all_models to gateway_console: insert, select, update
gateway.api_keys.allowed_models to gateway_console: insert, select, update
gateway.api_keys.created_at to gateway_console: select
gateway.api_keys.expires_at to gateway_console: insert, select, update
gateway.api_keys.hash to gateway_console: insert
gateway.api_keys.hash to gateway_runtime: update
gateway.api_keys.id to gateway_console: insert, select
gateway.api_keys.name to gateway_console: insert, select, update
gateway.api_keys.prompt_log to gateway_console: insert, select, update
gateway.api_keys.prompt_log_ttl_days to gateway_console: insert, select, update
gateway.api_keys.public_id to gateway_console: insert, select
gateway.api_keys.revoked_at to gateway_console: select
gateway.api_keys.secret_tag to gateway_console: insert
gateway.api_keys.secret_tag to gateway_runtime: update
gateway.api_keys.status to gateway_console: select
gateway.api_keys.tenant_id to gateway_console: insert, select
gateway.api_keys.updated_at to gateway_console: select
gateway.api_keys.version to gateway_console: select
gateway.audit_log to gateway_admin: delete, insert, select, update
gateway.audit_log to gateway_console: select
gateway.audit_log to gateway_runtime: insert, select, update
gateway.delete_audit_rows(date,date,integer) to gateway_admin: execute
gateway.delete_audit_rows(date,date,integer) to gateway_runtime: execute
gateway.drop_audit_day(date,date) to gateway_admin: execute
gateway.drop_audit_day(date,date) to gateway_runtime: execute
gateway.ensure_audit_day(date) to gateway_admin: execute
gateway.ensure_audit_day(date) to gateway_runtime: execute
gateway.key_limits to gateway_admin: delete, insert, select, update
gateway.key_limits to gateway_console: delete, insert, select, update
gateway.key_limits to gateway_runtime: select
gateway.prompt_log to gateway_admin: delete, insert, select, update
gateway.prompt_log to gateway_runtime: delete, insert, select
gateway.prompt_log.created_at to gateway_console: select
gateway.prompt_log.cut to gateway_console: select
gateway.prompt_log.expires_at to gateway_console: select
gateway.prompt_log.id to gateway_console: select
gateway.prompt_log.key_id to gateway_console: select
gateway.prompt_log.tenant_id to gateway_console: select
gateway.prune_changes() to gateway_runtime: execute
gateway.revocations to gateway_admin: insert, select
gateway.revocations to gateway_console: select
gateway.revocations to gateway_runtime: select
gateway.revocations.key_id to gateway_console: insert
gateway.revocations.reason to gateway_console: insert
gateway.revocations.tenant_id to gateway_console: insert
gateway.tenant_limits to gateway_admin: delete, insert, select, update
gateway.tenant_limits to gateway_console: delete, insert, select, update
gateway.tenant_limits to gateway_runtime: select
gateway.tenants to gateway_admin: insert, select, update
gateway.tenants to gateway_console: select
gateway.tenants to gateway_runtime: select
gateway.tenants.allow_all_models to gateway_console: insert, update
gateway.tenants.allow_runtime_options to gateway_console: insert, update
gateway.tenants.allowed_models to gateway_console: insert, update
gateway.tenants.audit_retention_days to gateway_console: insert, update
gateway.tenants.id to gateway_console: insert
gateway.tenants.max_num_ctx to gateway_console: insert, update
gateway.tenants.name to gateway_console: insert, update
gateway.tenants.slug to gateway_console: insert, update
gateway.tenants.status to gateway_console: insert, update
gateway.token_ledger to gateway_admin: delete, insert, select, update
gateway.token_ledger to gateway_console: select
gateway.token_ledger to gateway_runtime: insert, select, update
gateway_meta.log_marks to gateway_admin: select
gateway_meta.migrations to gateway_admin: select
gateway_meta.migrations to gateway_console: select
gateway_meta.migrations to gateway_runtime: select
gateway_meta.rejected_events to gateway_admin: delete, insert, select, update
gateway_meta.rejected_events to gateway_console: select
gateway_meta.rejected_events to gateway_runtime: insert, select
gateway_meta.settings to gateway_admin: select
gateway_meta.settings to gateway_console: select
gateway_meta.settings to gateway_runtime: select
gateway_meta.sweeps to gateway_admin: delete, insert, select, update
gateway_meta.sweeps to gateway_runtime: insert, select, update
schema gateway to gateway_admin: usage
schema gateway to gateway_console: usage
schema gateway to gateway_runtime: usage
schema gateway_meta to gateway_admin: usage
schema gateway_meta to gateway_console: usage
schema gateway_meta to gateway_runtime: usage

-- comments
column admitted_at of table gateway.audit_log: When it was admitted or refused, by the clock of Redis.
column allow_all_models of table gateway.api_keys: true: every discovered model, whatever the tenant's; false: the lists alone; null: as the tenant.
column allow_all_models of table gateway.tenants: Its keys may use every discovered model, whatever the list says.
column allow_runtime_options of table gateway.tenants: Clients may set num_ctx, keep_alive and other options that reload a model.
column allowed_models of table gateway.api_keys: Narrows what the key may use; null: not narrowed.
column allowed_models of table gateway.tenants: Models its keys may use: name means name:latest, name:* every tag.
column applied_at of table gateway_meta.migrations: When it was applied.
column at of table gateway_meta.log_marks: When it was looked at.
column at of table gateway_meta.rejected_events: When that was.
column audit_retention_days of table gateway.tenants: Days after which its audit rows are deleted.
column breaking of table gateway_meta.migrations: Whether a program that lacks the file must not run.
column budget_period of table gateway.key_limits: The period of the budget.
column budget_period of table gateway.tenant_limits: The period of the budget.
column budget_tokens of table gateway.key_limits: Tokens that may be spent in a period.
column budget_tokens of table gateway.tenant_limits: Tokens that may be spent in a period.
column bytes_out of table gateway.audit_log: Bytes of the reply's body.
column charged_tokens of table gateway.audit_log: What was charged to the budgets; of a lost request more than it is known to have used.
column charged_tokens of table gateway.token_ledger: Sum of what was charged.
column client_address of table gateway.audit_log: Address of the client, whole, as a prefix, or not kept (NZGW_AUDIT_ADDRESS).
column client_request_id of table gateway.audit_log: The x-request-id of the client, where it was well-formed.
column completion_tokens of table gateway.audit_log: Tokens of the reply; of a lost request, as told last.
column completion_tokens of table gateway.token_ledger: Sum of completion tokens.
column concurrency of table gateway.key_limits: Requests running at once.
column concurrency of table gateway.tenant_limits: Requests running at once.
column count_source of table gateway.audit_log: Whether the counts were reported by the upstream, estimated, or there are none.
column created_at of table gateway.api_keys: When it was made.
column created_at of table gateway.prompt_log: When it was written.
column created_at of table gateway.revocations: When that transaction began.
column created_at of table gateway.tenants: When it was made.
column created_by of table gateway.revocations: The database user who wrote it.
column cut of table gateway.prompt_log: Whether it was too long and was cut.
column day of table gateway.token_ledger: UTC day of admission.
column day of table gateway_meta.sweeps: The UTC day it counted from.
column dialect of table gateway.audit_log: native for /api, openai for /v1.
column digest of table gateway_meta.migrations: SHA-256 of its text, in hex.
column duration_ms of table gateway.audit_log: Milliseconds from the first byte of the request to the end of the reply.
column endpoint of table gateway.audit_log: Name of the route, never the client's own path.
column event of table gateway_meta.rejected_events: The entry as it stood in the stream.
column expires_at of table gateway.api_keys: No request is admitted from then on; null: never.
column expires_at of table gateway.prompt_log: When it is deleted.
column finished_at of table gateway_meta.sweeps: When it ended.
column first_token_ms of table gateway.audit_log: Milliseconds to the first token; null where there was none.
column hash of table gateway.api_keys: Argon2id of the secret, in PHC form.
column id of table gateway.api_keys: Never changes; what every other table refers to.
column id of table gateway.audit_log: The admission id, a UUIDv7; the request-id header of the reply.
column id of table gateway.prompt_log: The admission id.
column id of table gateway.revocations: Order of insertion, not of commit: readers go by xid.
column id of table gateway.tenants: Never changes; what every other table refers to.
column id of table gateway_meta.migrations: Number of the file.
column id of table gateway_meta.rejected_events: Order of arrival.
column key_id of table gateway.audit_log: The key it came with.
column key_id of table gateway.key_limits: Whose limits they are.
column key_id of table gateway.prompt_log: The key it came with.
column key_id of table gateway.revocations: The key revoked or changed.
column key_id of table gateway.token_ledger: With which key.
column kind of table gateway.revocations: revocation: the act; change: written by the triggers.
column max_num_ctx of table gateway.tenants: Largest num_ctx a client may set; null: none.
column max_output_tokens of table gateway.key_limits: Most tokens one reply may have.
column max_output_tokens of table gateway.tenant_limits: Most tokens one reply may have.
column model of table gateway.audit_log: Canonical name of the model; null where none was named.
column model of table gateway.token_ledger: Which model.
column name of table gateway.api_keys: What its owner calls it.
column name of table gateway.tenants: Full name for people.
column name of table gateway_meta.migrations: Name of the file without its ending.
column nonce of table gateway.prompt_log: Nonce of AES-256-GCM.
column outcome of table gateway.audit_log: How it ended; lost: its worker was not heard of again. A settlement that comes late replaces that.
column over_before of table gateway_meta.log_marks: Every transaction before this one was over by then.
column prompt_log of table gateway.api_keys: Whether requests and replies are kept, encrypted.
column prompt_log_ttl_days of table gateway.api_keys: Days after which they are deleted.
column prompt_tokens of table gateway.audit_log: Tokens of the prompt; of a lost request, as told last.
column prompt_tokens of table gateway.token_ledger: Sum of prompt tokens.
column public_id of table gateway.api_keys: The part of the key that may be shown: 12 base62 characters.
column reason of table gateway.revocations: Why, in the operator's words.
column refusal_code of table gateway.audit_log: Why it was refused; null if it was not.
column requests of table gateway.token_ledger: Requests admitted, whatever became of them.
column requests_per_minute of table gateway.key_limits: Requests admitted in any 60 seconds.
column requests_per_minute of table gateway.tenant_limits: Requests admitted in any 60 seconds.
column revoked_at of table gateway.api_keys: When it was revoked; null while active.
column sealed of table gateway.prompt_log: Ciphertext and tag.
column sealed of table gateway.token_ledger: Whether audit rows of the day were deleted, so that the sums cannot be proved from them.
column secret_tag of table gateway.api_keys: 16 bytes of HMAC-SHA-256 of the secret under the pepper; null until the key was first used.
column shard of table gateway_meta.rejected_events: Shard of Redis it came from.
column shards of table gateway_meta.settings: Shards of Redis: 1, or more for Redis Cluster.
column single of table gateway_meta.settings: Always true.
column single of table gateway_meta.sweeps: Always true.
column slug of table gateway.tenants: Short name for people and the command line.
column sqlstate of table gateway_meta.rejected_events: Why Postgres refused it.
column status of table gateway.api_keys: Set to revoked by an insert into gateway.revocations.
column status of table gateway.audit_log: HTTP status of the reply; 0 where nobody knows it (outcome lost).
column status of table gateway.tenants: Whether its keys are served.
column streamed of table gateway.audit_log: Whether the client asked for a stream.
column tenant_id of table gateway.api_keys: Who owns the key.
column tenant_id of table gateway.audit_log: The tenant of the key.
column tenant_id of table gateway.prompt_log: For whom it is encrypted.
column tenant_id of table gateway.revocations: The tenant all of whose keys are revoked, or that changed.
column tenant_id of table gateway.tenant_limits: Whose limits they are.
column tenant_id of table gateway.token_ledger: Who used it.
column tokens_per_minute of table gateway.key_limits: Tokens admitted in any 60 seconds.
column tokens_per_minute of table gateway.tenant_limits: Tokens admitted in any 60 seconds.
column updated_at of table gateway.api_keys: When the row or its limits last changed.
column updated_at of table gateway.tenants: When the row or its limits last changed.
column version of table gateway.api_keys: Rises with every change of the row or of its limits; caches are valid for one version.
column version of table gateway.tenants: Rises with every change of the row or of its limits; caches are valid for one version.
column xid of table gateway.revocations: The transaction that wrote it, to be compared with a snapshot's xmin.
function gateway.delete_audit_rows(date,date,integer): Deletes a batch of the audit rows of a UTC day that have outlived their tenant's retention, and seals the day. Called by the sweeper.
function gateway.drop_audit_day(date,date): Drops the audit partition of a UTC day that is older than the longest retention, and seals the day. Called by the sweeper.
function gateway.ensure_audit_day(date): Makes the audit partition of a UTC day if it is missing. Called by drainer and sweeper.
function gateway.note_change(): Raises the version of a changed key or tenant and appends the change to the log.
function gateway.note_limit_change(): Touches the key or tenant whose limits changed, so that its version rises.
function gateway.notify_key_revoked(): Marks the key, or every key of the tenant, revoked and tells the gateways to look.
function gateway.prune_changes(): Takes away a batch of changes that every gateway has read long since. Called by the gateways.
function gateway.refuse_change(): Keeps tenants and keys and what they are known by: they are ended, never deleted or renamed.
schema gateway: neuronetz-gateway: tenants, keys, limits, audit, ledger.
schema gateway_meta: neuronetz-gateway: what was done to this database.
table gateway.api_keys: API keys. The secret itself is never here: only its Argon2id hash and a tag.
table gateway.audit_log: One row for each request of an authenticated key, without any text of it. Partitioned by UTC day.
table gateway.key_limits: Limits of a key, beside those of its tenant. null: no limit; 0: nothing allowed.
table gateway.prompt_log: Requests and replies of keys that opted in, encrypted for their tenant.
table gateway.revocations: Inserting here revokes. Also the log of every other change, which the gateways read.
table gateway.tenant_limits: Limits of a tenant over all its keys. null: no limit; 0: nothing allowed.
table gateway.tenants: The customers that own keys.
table gateway.token_ledger: What was used: sums of the audit log by tenant, key, model and UTC day, which outlive its rows.
table gateway_meta.log_marks: How far the log of changes was over at which time; a few rows.
table gateway_meta.migrations: Files of sql/ that were applied.
table gateway_meta.rejected_events: Entries of the audit stream that Postgres refused, each with an alarm.
table gateway_meta.settings: What is fixed for the life of this database, in one row.
table gateway_meta.sweeps: The last sweep that was done to its end, in one row.
type gateway.budget_period: When a budget begins anew: each UTC day, each UTC month, or never.
type gateway.key_status: active: usable until it expires; revoked: never again.
type gateway.tenant_status: active: served; suspended: refused with 403; closed: refused as if the key did not exist.
