import { execFile } from 'node:child_process';
import { chmod, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPostgresBinaries, linkLibraries } from '../../bin/quickstart/postgres-binaries.ts';
import { startPrivatePostgres } from '../../bin/quickstart/private-postgres.ts';
import { startServerProcess } from '../../bin/quickstart/server-process.ts';
import { migrate } from '../../lib/store/migrations.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';
import type { TemporaryDirectory } from './temporary-directory.ts';
import { connect } from './test-postgres.ts';

const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];
const DATABASE = 'postgres';

/** A Postgres that no other test uses: another server, whose settings may be changed. */
export interface OwnPostgres {
  /** Of a database with the whole schema. */
  readonly url: string;
  stop(): Promise<void>;
}

export interface ReplicatedPostgres {
  readonly primary: OwnPostgres;
  /** Follows the primary and can be read; `select pg_promote()` makes a primary of it. */
  readonly standby: OwnPostgres;
}

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const postgres = await start(await makeTemporaryDirectory('pg-own'));
  await makeSchema(postgres.url);
  return postgres;
}

/** The standby begins as a copy of the primary's data, and streams from there. */
export async function startReplicatedPostgres(): Promise<ReplicatedPostgres> {
  const directory = await makeTemporaryDirectory('pg-own');
  const copy = await makeTemporaryDirectory('pg-copy');
  const made = await startPrivatePostgres({ directory: directory.path, settings: FAST });
  await makeSchema(made.url(DATABASE));
  await made.stop();
  await promisify(execFile)('cp', ['-a', join(directory.path, 'data'), join(copy.path, 'data')]);
  const primary = await start(directory);
  return { primary, standby: await startStandby(copy, primary.url) };
}

async function start(directory: TemporaryDirectory): Promise<OwnPostgres> {
  const server = await startPrivatePostgres({ directory: directory.path, settings: FAST });
  return { url: server.url(DATABASE), stop: () => stopAndRemove(server, directory) };
}

async function makeSchema(url: string): Promise<void> {
  const client = await connect(url);
  await migrate(client);
  await client.end();
}

async function startStandby(copy: TemporaryDirectory, primaryUrl: string): Promise<OwnPostgres> {
  const binaries = await findPostgresBinaries(() => undefined);
  const { owner } = binaries;
  const data = join(copy.path, 'data');
  const libraries = join(copy.path, 'lib');
  await linkLibraries(binaries, libraries);
  await writeFile(join(data, 'standby.signal'), '');
  if (owner) await chown(copy.path, owner.uid, owner.gid);
  await chmod(copy.path, 0o700);
  const url = new URL(primaryUrl);
  const host = url.searchParams.get('host') ?? '';
  const user = url.searchParams.get('user') ?? '';
  const settings = [
    ...FAST,
    'listen_addresses=',
    'port=5432',
    `unix_socket_directories=${copy.path}`,
    `primary_conninfo=host=${host} port=5432 user=${user} dbname=${DATABASE}`,
  ];
  const server = await startServerProcess({
    command: binaries.postgres,
    arguments: ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    environment: { LC_ALL: 'C.UTF-8', LD_LIBRARY_PATH: `${libraries}:${binaries.libraries}` },
    ...(owner && { owner }),
    readyText: 'started streaming WAL',
    stopSignal: 'SIGINT',
  });
  url.searchParams.set('host', copy.path);
  return { url: url.href, stop: () => stopAndRemove(server, copy) };
}

async function stopAndRemove(
  server: { stop(): Promise<void> },
  directory: TemporaryDirectory,
): Promise<void> {
  await server.stop();
  await directory.remove();
}
