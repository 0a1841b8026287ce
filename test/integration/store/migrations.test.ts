import { appendFile, cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ROOT } from '../../../lib/root.ts';
import { readMigrations } from '../../../lib/store/migration-files.ts';
import type { Migration } from '../../../lib/store/migration-files.ts';
import { migrate, readMigrationStatus } from '../../../lib/store/migrations.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { SchemaError } from '../../../lib/store/schema-error.ts';
import type { SchemaFault } from '../../../lib/store/schema-error.ts';
import { checkSchema, readShards } from '../../../lib/store/schema-guard.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { connect, makeEmptyDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

describe('store/migrations', function () {
  this.timeout(20_000);
  let database: TestDatabase;
  let client: PostgresClient;
  let files: TemporaryDirectory;
  let folder: URL;
  let known: readonly Migration[];

  beforeEach(async function () {
    this.timeout(30_000);
    known = await readMigrations();
    database = await makeEmptyDatabase();
    client = await connect(database.url);
    files = await makeTemporaryDirectory('sql');
    folder = pathToFileURL(`${files.path}/`);
    await cp(new URL('sql/', ROOT), folder, { recursive: true });
  });

  afterEach(async () => {
    await client.end();
    await database.drop();
    await files.remove();
  });

  it('applies every file in order, tells which, and finds nothing to do the second time', async () => {
    const applied = await migrate(client);
    expect(applied.map(({ id }) => id)).to.deep.equal(known.map(({ id }) => id));
    expect(await migrate(client)).to.deep.equal([]);
    await checkSchema(client);
  });

  it('tells what is applied and what is missing, before and after', async () => {
    const before = await readMigrationStatus(client);
    expect(before.applied).to.deep.equal([]);
    expect(before.pending).to.deep.equal(known);
    expect(before.shards).to.equal(null);

    await migrate(client);
    const after = await readMigrationStatus(client);
    expect(after.pending).to.deep.equal([]);
    expect(after.applied.map(({ name }) => name)).to.include('000001_gateway');
    expect(after.applied[0]?.appliedAt).to.be.instanceOf(Date);
  });

  it('applies each file once when two programs migrate at the same moment', async () => {
    const other = await connect(database.url);
    const both = await Promise.all([migrate(client), migrate(other)]);
    await other.end();
    expect(both.map(({ length }) => length).sort()).to.deep.equal([0, known.length]);
  });

  it('fixes the number of shards with the first migration', async () => {
    await refuse('missing', () => readShards(client));
    await migrate(client, { shards: 16 });
    expect(await readShards(client)).to.equal(16);
    await migrate(client);
    await refuse('shards_fixed', () => migrate(client, { shards: 1 }));
    expect(await readShards(client)).to.equal(16);
  });

  it('takes one shard where none are asked for', async () => {
    await migrate(client);
    expect(await readShards(client)).to.equal(1);
  });

  it('leaves nothing of a file that fails, and keeps the files before it', async () => {
    await addFile(
      '900005_broken.sql',
      '-- breaking\ncreate table gateway.half (id int);\nselect 1/0;',
    );
    const error = await migrate(client, { folder }).catch((thrown: unknown) => thrown);
    expect(error).to.have.property('code', '22012');
    const { rows } = await client.query(
      `select to_regclass('gateway.half') as half, count(*)::int as done from gateway_meta.migrations`,
    );
    expect(rows).to.deep.equal([{ half: null, done: known.length }]);
  });

  it('refuses a history that was edited after it had been applied', async () => {
    await migrate(client, { folder });
    await appendFile(new URL('000002_triggers.sql', folder), '\n-- a better thought\n');
    const error = await refuse('edited', () => migrate(client, { folder }));
    expect(error.message).to.include('000002_triggers');
    const check = await refuse('edited', async () =>
      checkSchema(client, await readMigrations(folder)),
    );
    expect(check.message).to.include('nzgw migrate --status');
  });

  it('does not mind line ends that a checkout changed', async () => {
    await migrate(client);
    const [first] = await readMigrations();
    await writeFile(
      new URL('000001_gateway.sql', folder),
      first?.sql.replaceAll('\n', '\r\n') ?? '',
    );
    expect((await readMigrationStatus(client, await readMigrations(folder))).edited).to.deep.equal(
      [],
    );
  });

  it('refuses a database without schema, and an older one, naming the command', async () => {
    const none = await refuse('missing', () => checkSchema(client));
    expect(none.message).to.include('nzgw migrate');
    await migrate(client);
    await addFile('900005_more.sql', '-- not breaking\nselect 1;');
    const older = await refuse('older', async () =>
      checkSchema(client, await readMigrations(folder)),
    );
    expect(older.message).to.include('900005_more').and.include('nzgw migrate');
  });

  it('runs on a newer schema that is not breaking, and refuses one that is', async () => {
    await addFile('900005_more.sql', '-- not breaking\nselect 1;');
    await migrate(client, { folder });
    await checkSchema(client);
    expect(await migrate(client)).to.deep.equal([]);

    await addFile('900006_other.sql', '-- breaking\nselect 1;');
    await migrate(client, { folder });
    await refuse('newer', () => checkSchema(client));
    await refuse('newer', () => migrate(client));
  });

  it('does not put an older file behind a newer one', async () => {
    await addFile('900006_later.sql', '-- not breaking\nselect 1;');
    await migrate(client, { folder });
    const other = await makeTemporaryDirectory('sql');
    const branch = pathToFileURL(`${other.path}/`);
    await cp(new URL('sql/', ROOT), branch, { recursive: true });
    await writeFile(join(other.path, '900005_earlier.sql'), '-- not breaking\nselect 1;');
    await refuse('newer', () => migrate(client, { folder: branch }));
    await other.remove();
  });

  it('does not take a file that leaves open whether it is breaking', async () => {
    await addFile('900005_silent.sql', 'select 1;');
    const error = await readMigrations(folder).catch((thrown: unknown) => thrown);
    expect(error)
      .to.be.instanceOf(Error)
      .with.property('message')
      .that.includes('900005_silent.sql');
  });

  it('tells the error that broke the connection, not that it could not tidy up after it', async () => {
    await addFile(
      '900005_fatal.sql',
      '-- breaking\nselect pg_terminate_backend(pg_backend_pid());\nselect 1;',
    );
    const error = await migrate(client, { folder }).catch((thrown: unknown) => thrown);
    expect(error).to.have.property('code', '57P01');
  });

  async function addFile(name: string, sql: string): Promise<void> {
    await writeFile(new URL(name, folder), sql);
  }

  async function refuse(fault: SchemaFault, act: () => Promise<unknown>): Promise<SchemaError> {
    const error = await act().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof SchemaError)) throw new Error(`no SchemaError, but ${String(error)}`);
    expect(error.fault).to.equal(fault);
    return error;
  }
});
