-- not breaking
--
-- Three roles to be granted to login users. A new table is closed to them until a migration opens it.
--   gateway_runtime  the gateway: reads what decides, writes what happened
--   gateway_console  an administration console: tenants, keys, limits, revocations; no secret, no prompt
--   gateway_admin    every row of every table, though it ends tenants and keys instead of deleting them

-- Roles belong to the whole server, and another database may be migrated at this very moment.
do $$
declare
  wanted text;
begin
  foreach wanted in array array['gateway_runtime', 'gateway_console', 'gateway_admin'] loop
    if to_regrole(wanted) is null then
      begin
        execute format('create role %I nologin', wanted);
      exception
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then
          raise exception 'role % is missing and % may not create it', wanted, current_user
            using errcode = 'insufficient_privilege', hint = format('create role %I nologin', wanted);
      end;
    end if;
  end loop;
end
$$;

revoke all on all functions in schema gateway from public;
grant usage on schema gateway, gateway_meta to gateway_runtime, gateway_console, gateway_admin;
grant select on gateway_meta.migrations, gateway_meta.settings
  to gateway_runtime, gateway_console, gateway_admin;
grant execute on function gateway.ensure_audit_day(date) to gateway_runtime, gateway_admin;
grant execute on function gateway.prune_changes() to gateway_runtime;

-- Runtime: a verification may renew a hash and its tag, nothing else of a key.
grant select on gateway.tenants, gateway.api_keys, gateway.tenant_limits, gateway.key_limits,
  gateway.revocations to gateway_runtime;
grant update (hash, secret_tag) on gateway.api_keys to gateway_runtime;
grant select, insert, update, delete on gateway.audit_log to gateway_runtime;
grant select, insert, delete on gateway.prompt_log to gateway_runtime;
grant select, insert, update on gateway.token_ledger to gateway_runtime;
grant select, insert on gateway_meta.rejected_events to gateway_runtime;

-- Console: a key is made once and then changed only in what its owner may choose; it is ended by
-- an insert into revocations. xid and version are never the writer's to set.
grant select, insert, update, delete on gateway.tenant_limits, gateway.key_limits
  to gateway_console;
grant select on gateway.tenants, gateway.audit_log, gateway.token_ledger, gateway.revocations,
  gateway_meta.rejected_events to gateway_console;
grant insert (id, slug, name, status, allow_all_models, allowed_models, allow_runtime_options,
    max_num_ctx, audit_retention_days),
  update (slug, name, status, allow_all_models, allowed_models, allow_runtime_options, max_num_ctx,
    audit_retention_days)
  on gateway.tenants to gateway_console;
grant select (id, tenant_id, public_id, name, status, expires_at, allow_all_models, allowed_models,
    prompt_log, prompt_log_ttl_days, version, created_at, updated_at, revoked_at),
  insert (id, tenant_id, public_id, name, hash, secret_tag, expires_at, allow_all_models,
    allowed_models, prompt_log, prompt_log_ttl_days),
  update (name, expires_at, allow_all_models, allowed_models, prompt_log, prompt_log_ttl_days)
  on gateway.api_keys to gateway_console;
grant select (id, tenant_id, key_id, created_at, expires_at, cut) on gateway.prompt_log
  to gateway_console;
grant insert (key_id, tenant_id, reason) on gateway.revocations to gateway_console;

grant select, insert, update, delete on all tables in schema gateway, gateway_meta to gateway_admin;
revoke insert, update, delete on gateway_meta.migrations, gateway_meta.settings,
  gateway_meta.log_marks from gateway_admin;
-- A key ends by being revoked, a tenant by being closed, and the log of it stays as it was written.
revoke delete on gateway.tenants, gateway.api_keys from gateway_admin;
revoke update, delete on gateway.revocations from gateway_admin;
