import { expect } from 'chai';
import { checkPostgres, UnfitPostgresError } from '../../../lib/store/postgres-check.ts';
import type { Connection, PostgresClient } from '../../../lib/store/postgres.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

/** The reason that the check gives, or null where it has none. */
async function reasonOf(connection: Connection, connections: number): Promise<string | null> {
  try {
    await checkPostgres(connection, { connections });
    return null;
  } catch (error) {
    if (error instanceof UnfitPostgresError) return error.message;
    throw error;
  }
}

describe('store/postgres-check', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let client: PostgresClient;
  before(async () => {
    database = await makeDatabase();
    client = await connect(database.url);
  });
  after(async () => {
    await client.end();
    await database.drop();
  });

  const readRoom = async (): Promise<number> => {
    const { rows } = await client.query<{ room: number }>(
      `select sum(setting::int * case name when 'max_connections' then 1 else -1 end) as room
       from pg_settings where name in
       ('max_connections', 'superuser_reserved_connections', 'reserved_connections')`,
    );
    return Number(rows[0]?.room);
  };

  it('takes a Postgres that has room to the last connection, and not one fewer', async () => {
    const room = await readRoom();
    expect(await reasonOf(client, room)).to.equal(null);
    expect(await reasonOf(client, room + 1)).to.contain(`for ${room} connections`);
  });

  it('minds what the database and the role may have', async () => {
    await client.query(
      `do $$ begin execute format('alter database %I connection limit 7', current_database()); end $$`,
    );
    expect(await reasonOf(client, 7)).to.equal(null);
    expect(await reasonOf(client, 8)).to.contain('for 7 connections');

    await client.query('begin');
    await client.query('create role few connection limit 5');
    await client.query('set local role few');
    expect(await reasonOf(client, 5)).to.equal(null);
    expect(await reasonOf(client, 6)).to.contain('for 5 connections');
    await client.query('rollback');
  });

  it('refuses one that is too old or says nothing', async () => {
    const answering = (rows: unknown[]): Connection => {
      const query = (): Promise<unknown> => Promise.resolve({ rows });
      return { query } as Connection;
    };
    const old = answering([{ major: 13, version: '13.16', room: 100 }]);
    expect(await reasonOf(old, 1)).to.contain('13.16');
    expect(await reasonOf(answering([]), 1)).to.contain('unknown');
  });

  it('blames nobody where Postgres could not be asked', async () => {
    const gone = await connect(database.url);
    await gone.end();
    const outcome = await reasonOf(gone, 1).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(Error).and.not.instanceOf(UnfitPostgresError);
  });
});
