import { startPrivatePostgres } from '../../bin/quickstart/private-postgres.ts';
import type { PrivatePostgres } from '../../bin/quickstart/private-postgres.ts';
import { migrate } from '../../lib/store/migrations.ts';
import { makeClient } from '../../lib/store/postgres.ts';
import type { PostgresClient } from '../../lib/store/postgres.ts';
import { stopAtEnd } from './stop-at-end.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

/** No test loses power; a disk that is not waited for makes a database in a few milliseconds. */
const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'];
const TEMPLATE = 'migrated';

export interface TestDatabase {
  readonly url: string;
  /** Ends its connections and removes it. */
  drop(): Promise<void>;
}

interface TestServer {
  readonly postgres: PrivatePostgres;
  readonly root: PostgresClient;
  databases: number;
}

let server: Promise<TestServer> | undefined;

/** A database of one's own with the whole schema, on a server that all tests of the process share. */
export function makeDatabase(): Promise<TestDatabase> {
  return create(TEMPLATE);
}

/** The same without any schema of ours. */
export function makeEmptyDatabase(): Promise<TestDatabase> {
  return create('template1');
}

/** A connected client, for tests that speak SQL. */
export async function connect(url: string): Promise<PostgresClient> {
  const client = makeClient({ url, applicationName: 'test', timeoutMs: 10_000 });
  await client.connect();
  return client;
}

async function create(template: string): Promise<TestDatabase> {
  const { postgres, root, databases } = await nextDatabase();
  const name = `test_${databases}`;
  await root.query(`create database ${name} template ${template}`);
  return {
    url: postgres.url(name),
    drop: async () => {
      await root.query(`drop database if exists ${name} with (force)`);
    },
  };
}

async function nextDatabase(): Promise<TestServer> {
  server ??= start();
  const running = await server;
  running.databases += 1;
  return running;
}

async function start(): Promise<TestServer> {
  const directory = await makeTemporaryDirectory('pg');
  const postgres = await startPrivatePostgres({ directory: directory.path, settings: FAST });
  const root = await connect(postgres.url('postgres'));
  stopAtEnd(async () => {
    server = undefined;
    await root.end();
    await postgres.stop();
    await directory.remove();
  });
  await root.query(`create database ${TEMPLATE}`);
  const client = await connect(postgres.url(TEMPLATE));
  await migrate(client);
  await client.end();
  return { postgres, root, databases: 0 };
}
