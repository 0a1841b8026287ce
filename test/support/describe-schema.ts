import type { Connection } from '../../lib/store/postgres.ts';

const SCHEMAS = `('gateway'::regnamespace, 'gateway_meta'::regnamespace)`;
/** Partitions follow the calendar. */
const TABLES = `pg_class c where c.relnamespace in ${SCHEMAS} and not c.relispartition
  and c.relkind in ('r', 'p')`;

/** One query a chapter; each gives lines in an order that does not depend on the server. */
const CHAPTERS: Readonly<Record<string, string>> = {
  types: `
    select format('%s enum (%s)', t.oid::regtype,
        (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder)
           from pg_enum where enumtypid = t.oid)) as line
      from pg_type t where t.typnamespace in ${SCHEMAS} and t.typtype = 'e' order by 1`,
  tables: `
    select format('%s %s%s', c.oid::regclass, case c.relkind when 'p' then 'partitioned ' else '' end,
        coalesce(pg_get_partkeydef(c.oid), '')) as line
      from ${TABLES} order by 1`,
  columns: `
    select format('%s.%s %s%s%s%s', a.attrelid::regclass, a.attname,
        format_type(a.atttypid, a.atttypmod),
        case when a.attnotnull then ' not null' else '' end,
        case a.attidentity when 'a' then ' generated always as identity' else '' end,
        coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) as line
      from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid in (select c.oid from ${TABLES}) and a.attnum > 0 and not a.attisdropped
      order by a.attrelid::regclass::text collate "C", a.attnum`,
  constraints: `
    select format('%s.%s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as line
      from pg_constraint
      where conrelid in (select c.oid from ${TABLES}) and contype <> 'n' order by 1`,
  indexes: `
    select pg_get_indexdef(indexrelid) as line from pg_index
      where indrelid in (select c.oid from ${TABLES}) order by 1`,
  triggers: `
    select pg_get_triggerdef(oid) as line from pg_trigger
      where tgrelid in (select c.oid from ${TABLES}) and not tgisinternal order by 1`,
  functions: `
    select pg_get_functiondef(oid) as line from pg_proc
      where pronamespace in ${SCHEMAS} order by 1`,
  grants: `
    with granted as (
      select 'schema ' || nspname as what, nspacl as acl, nspowner as owner from pg_namespace
        where oid in ${SCHEMAS}
      union all
      select c.oid::regclass::text, c.relacl, c.relowner from ${TABLES}
      union all
      select a.attrelid::regclass || '.' || a.attname, a.attacl, c.relowner
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace in ${SCHEMAS} and a.attacl is not null
      union all
      select oid::regprocedure::text, proacl, proowner from pg_proc where pronamespace in ${SCHEMAS}
    )
    select format('%s to %s: %s', what,
        case grantee when 0 then 'public' else grantee::regrole::text end,
        string_agg(lower(privilege_type), ', ' order by privilege_type)) as line
      from granted, aclexplode(acl) where grantee <> owner group by what, grantee order by 1`,
  comments: `
    select format('%s: %s', pg_describe_object(classoid, objoid, objsubid), description) as line
      from pg_description
      where pg_describe_object(classoid, objoid, objsubid) ~ 'gateway' order by 1`,
};

/** The whole schema as text, the same on every server and version that Postgres is tested on. */
export async function describeSchema(connection: Connection): Promise<string> {
  const parts: string[] = ['-- What the migrations make. Generated; see the test schema-dump.\n'];
  for (const [chapter, query] of Object.entries(CHAPTERS)) {
    const { rows } = await connection.query<{ line: string }>(
      `select line from (${query}) as chapter${chapter === 'columns' ? '' : ' order by line collate "C"'}`,
    );
    parts.push(`\n-- ${chapter}\n`, ...rows.map(({ line }) => `${line.trimEnd()}\n`));
  }
  return parts.join('');
}
