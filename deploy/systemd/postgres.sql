-- Roles and database of neuronetz-gateway in a local Postgres, made by its superuser:
--   runuser -u postgres -- psql -X -v ON_ERROR_STOP=1 -f postgres.sql
-- May be run again: it makes what is missing.
-- nzgw and nzgw_admin are users of the machine too: Postgres lets each in as itself (peer), without
-- a password, as Debian's pg_hba.conf has it.

-- Groups of rights, filled by `nzgw migrate`, whose owner then needs not create roles.
select format('create role %I nologin', name)
  from unnest(array['gateway_runtime', 'gateway_console', 'gateway_admin']) name
  where not exists (select from pg_roles where rolname = name) \gexec

-- nzgw, the service: reads what decides, writes what happened.
-- nzgw_admin, by which root runs `nzgw`: owns the schema, changes tenants and keys.
select format('create role %I login', name)
  from unnest(array['nzgw', 'nzgw_admin']) name
  where not exists (select from pg_roles where rolname = name) \gexec
grant gateway_runtime to nzgw;

select 'create database nzgw owner nzgw_admin encoding ''UTF8'' template template0'
  where not exists (select from pg_database where datname = 'nzgw') \gexec
revoke connect, temporary on database nzgw from public;
grant connect on database nzgw to gateway_runtime, gateway_console, gateway_admin;
