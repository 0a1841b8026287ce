-- Run once by the image of Postgres, as superuser in the database nzgw, when its volume is empty.
--
--   nzgw_owner    owns the schema and migrates it; no running service has its password
--   nzgw_gateway  the gateway: may read what decides and write what happened, nothing else
--   nzgw_admin    the operator's commands: may make tenants and keys, and change no table

-- Should a statement fail, its text would stand in the log, and so would a password.
set log_min_error_statement = 'panic';

\set owner_password `cat /run/secrets/postgres_owner_password`
\set gateway_password `cat /run/secrets/postgres_gateway_password`
\set admin_password `cat /run/secrets/postgres_admin_password`

create role nzgw_owner login password :'owner_password';
create role nzgw_gateway login password :'gateway_password';
create role nzgw_admin login password :'admin_password';

-- Roles belong to the whole server: the owner of one database may not create them.
create role gateway_runtime nologin;
create role gateway_console nologin;
create role gateway_admin nologin;
grant gateway_runtime to nzgw_gateway;
grant gateway_admin to nzgw_admin;

alter database nzgw owner to nzgw_owner;
revoke connect, temporary on database nzgw from public;
grant connect on database nzgw to nzgw_gateway, nzgw_admin;
