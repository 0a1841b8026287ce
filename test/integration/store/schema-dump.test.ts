import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { ROOT } from '../../../lib/root.ts';
import { describeSchema } from '../../support/describe-schema.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';

const DUMP = new URL('sql/schema.sql', ROOT);

/** NZGW_TEST_UPDATE_SCHEMA=1 writes sql/schema.sql anew instead of comparing. */
const UPDATE = process.env['NZGW_TEST_UPDATE_SCHEMA'] === '1';

describe('store/schema-dump', () => {
  it('holds what the migrations make, so that a change of schema is seen in review', async function () {
    this.timeout(30_000);
    const database = await makeDatabase();
    const client = await connect(database.url);
    try {
      const found = await describeSchema(client);
      if (UPDATE) await writeFile(DUMP, found);
      expect(found).to.equal(
        await readFile(DUMP, 'utf8'),
        'set NZGW_TEST_UPDATE_SCHEMA=1 to renew',
      );
    } finally {
      await client.end();
      await database.drop();
    }
  });

  it('has a comment on every table, column, type and function', async () => {
    const database = await makeDatabase();
    const client = await connect(database.url);
    try {
      const { rows } = await client.query<{ bare: string }>(`
        select c.oid::regclass::text as bare from pg_class c
          where c.relnamespace = any (array['gateway', 'gateway_meta']::regnamespace[])
            and c.relkind in ('r', 'p') and obj_description(c.oid, 'pg_class') is null
        union all
        select a.attrelid::regclass || '.' || a.attname from pg_attribute a
          join pg_class c on c.oid = a.attrelid
          where c.relnamespace = any (array['gateway', 'gateway_meta']::regnamespace[])
            and c.relkind in ('r', 'p') and a.attnum > 0
            and col_description(a.attrelid, a.attnum) is null
        union all
        select oid::regtype::text from pg_type where typnamespace = 'gateway'::regnamespace
          and typtype = 'e' and obj_description(oid, 'pg_type') is null
        union all
        select oid::regprocedure::text from pg_proc where pronamespace = 'gateway'::regnamespace
          and obj_description(oid, 'pg_proc') is null`);
      expect(rows).to.deep.equal([]);
    } finally {
      await client.end();
      await database.drop();
    }
  });
});
