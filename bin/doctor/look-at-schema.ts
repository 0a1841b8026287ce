import { readMigrationStatus } from '../../lib/store/migrations.ts';
import type { Connection } from '../../lib/store/postgres.ts';
import { checkSchema } from '../../lib/store/schema-guard.ts';
import { fail, pass, warn } from './check.ts';
import type { Finding } from './check.ts';
import { readExpectedSchema } from './expected-schema.ts';
import type { ExpectedTrigger } from './expected-schema.ts';

/** Throws SchemaError where the gateway would not start on it. */
export async function lookAtSchema(connection: Connection): Promise<Finding> {
  await checkSchema(connection);
  const { applied, unknown, shards } = await readMigrationStatus(connection);
  const newest = applied.at(-1)?.name ?? '';
  const newer = unknown.length > 0 ? `, ${unknown.length} of a newer version` : '';
  return pass(`${applied.length} migrations, the last ${newest}${newer}; shards: ${shards ?? 0}`);
}

interface FoundTrigger extends ExpectedTrigger {
  /** pg_trigger.tgenabled: O and A fire, D and R do not. */
  readonly enabled: string;
}

const READ_TRIGGERS = `
  select tgname as name, format('%s.%s', n.nspname, c.relname) as "table", tgenabled as enabled
    from pg_trigger t
    join pg_class c on c.oid = t.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
   where n.nspname in ('gateway', 'gateway_meta') and not t.tgisinternal`;

/** Without them a change is told to no gateway, and a revocation is not heard of. */
export async function lookAtTriggers(connection: Connection): Promise<Finding> {
  const { triggers } = await readExpectedSchema();
  const { rows } = await connection.query<FoundTrigger>(READ_TRIGGERS);
  const found = new Map(rows.map((row) => [`${row.name} on ${row.table}`, row.enabled]));
  const wanted = triggers.map(({ name, table }) => `${name} on ${table}`);
  const gone = wanted.filter((trigger) => !found.has(trigger));
  const idle = wanted.filter((trigger) => /[DR]/.test(found.get(trigger) ?? ''));
  if (gone.length > 0) {
    return fail(
      `gone: ${gone.join(', ')}`,
      'stop whoever writes, and make them as sql/ has them; then restart every gateway',
    );
  }
  if (idle.length > 0) {
    const { name, table } = triggers[wanted.indexOf(idle[0] ?? '')] ?? { name: '', table: '' };
    return fail(
      `disabled: ${idle.join(', ')}`,
      `alter table ${table} enable trigger ${name}; then restart every gateway, which has missed changes`,
    );
  }
  return lookAtReplication(connection, wanted.length);
}

/** A role or a database may be set so that its sessions fire no trigger at all. */
async function lookAtReplication(connection: Connection, count: number): Promise<Finding> {
  const { rows } = await connection.query<{ role: string }>(
    "select current_setting('session_replication_role') as role",
  );
  const seen = `${count} triggers, all enabled`;
  if (rows[0]?.role !== 'replica') return pass(seen);
  return fail(
    'session_replication_role is replica: no trigger fires',
    'alter role … reset session_replication_role',
  );
}

interface Rights {
  readonly user: string;
  readonly superuser: boolean;
  /** `select on gateway.tenants`. */
  readonly missing: readonly string[];
}

/** Found by name in the catalogue: whoever may not use the schema may not ask for its parts by name. */
const READ_RIGHTS = `
  with wanted as (
    select * from unnest($1::text[], $2::text[], $3::text[]) as w (kind, thing, privilege)
  ), relation as (
    select c.oid, format('%s.%s', n.nspname, c.relname) as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname in ('gateway', 'gateway_meta')
  ), routine as (
    select p.oid, format('%s.%s(%s)', n.nspname, p.proname,
        replace(oidvectortypes(p.proargtypes), ', ', ',')) as name
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where n.nspname in ('gateway', 'gateway_meta')
  )
  select current_user as "user",
    (select rolsuper from pg_roles where rolname = current_user) as superuser,
    array(
      select format('%s on %s', privilege, thing) from wanted
       where not coalesce(
         case kind
           when 'schema' then (
             select has_schema_privilege(oid, privilege) from pg_namespace where nspname = thing)
           when 'function' then (
             select has_function_privilege(oid, privilege) from routine where name = thing)
           when 'table' then (
             select has_table_privilege(oid, privilege) from relation where name = thing)
           else (
             select has_column_privilege(r.oid, a.attnum, privilege)
               from relation r join pg_attribute a on a.attrelid = r.oid
              where format('%s.%s', r.name, a.attname) = thing and not a.attisdropped)
         end, false)
       order by thing, privilege
    ) as missing`;

/** What the gateway needs, and that it has not all there is. */
export async function lookAtRights(connection: Connection): Promise<Finding> {
  const { rights } = await readExpectedSchema();
  const { rows } = await connection.query<Rights>(READ_RIGHTS, [
    rights.map(({ kind }) => kind),
    rights.map(({ thing }) => thing),
    rights.map(({ privilege }) => privilege),
  ]);
  const { user = '?', superuser = false, missing = [] } = rows[0] ?? {};
  if (missing.length > 0) {
    return fail(`${user} lacks ${missing.join(', ')}`, `grant gateway_runtime to ${user}`);
  }
  if (superuser) {
    return warn(
      `${user} is a superuser`,
      'for nzgw serve let DATABASE_URL name a user with gateway_runtime granted, and nothing else',
    );
  }
  return pass(`${user} has the ${rights.length} rights that the gateway needs`);
}
