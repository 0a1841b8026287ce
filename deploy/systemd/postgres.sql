-- Roles and database of neuronetz-gateway in a local Postgres, made once by its superuser:
--   runuser -u postgres -- psql -X -v ON_ERROR_STOP=1 -f postgres.sql
-- nzgw and nzgw_admin are users of the machine too: Postgres lets each in as itself (peer), without
-- a password, as Debian's pg_hba.conf has it.

-- Groups of rights, filled by `nzgw migrate`, whose owner then needs not create roles.
create role gateway_runtime nologin;
create role gateway_console nologin;
create role gateway_admin nologin;

-- The service: reads what decides, writes what happened.
create role nzgw login in role gateway_runtime;
-- `nzgw` as root runs it: owns the schema, changes tenants and keys.
create role nzgw_admin login;

create database nzgw owner nzgw_admin encoding 'UTF8' template template0;
revoke connect, temporary on database nzgw from public;
grant connect on database nzgw to gateway_runtime, gateway_console, gateway_admin;
