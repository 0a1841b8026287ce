import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findPostgresBinaries, linkLibraries } from './postgres-binaries.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { startServerProcess } from './server-process.ts';
import { stopStaleServer } from './stale-server.ts';

const SUPERUSER = 'gw';
/** Names the socket file; no TCP port is opened. */
const PORT = 5_432;
/** A socket's whole path must stay below 108 bytes. */
const LONGEST_SOCKET_FOLDER = 80;

export interface PrivatePostgresOptions {
  /** Holds everything; made if missing, mode 0700. A second start there finds its data again. */
  readonly directory: string;
  /** Further settings of the server, as `name=value`. */
  readonly settings?: readonly string[];
  /** Told in a line what takes its time. */
  readonly say?: (line: string) => void;
}

export interface PrivatePostgres {
  readonly pid: number;
  /** The address of a database of this server, for pg. */
  url(database: string): string;
  /** Ends the server in order (fast shutdown); resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a Postgres of our own that only this user can reach: a unix socket in a closed folder, no
 * port, and so no password. A server that was left behind there is ended first.
 * @throws Error with the server's last words if it does not start.
 */
export async function startPrivatePostgres(
  options: PrivatePostgresOptions,
): Promise<PrivatePostgres> {
  const { directory, settings = [], say = () => undefined } = options;
  const binaries = await findPostgresBinaries(say);
  const data = join(directory, 'data');
  await openDirectory(directory, binaries);
  await linkLibraries(binaries, join(directory, 'lib'));
  await stopStaleServer(join(data, 'postmaster.pid'), data, 'SIGINT');
  if (!(await exists(data))) {
    say('making a private Postgres');
    await initialise(binaries, directory, data);
  }

  const sockets = await openSocketFolder(directory, binaries);
  const own = [`listen_addresses=`, `unix_socket_directories=${sockets}`, `port=${PORT}`];
  const server = await startServerProcess({
    command: binaries.postgres,
    arguments: ['-D', data, ...[...own, ...settings].flatMap((setting) => ['-c', setting])],
    environment: toEnvironment(binaries, directory),
    ...(binaries.owner && { owner: binaries.owner }),
    readyText: 'ready to accept connections',
    stopSignal: 'SIGINT',
  });
  return {
    pid: server.pid,
    url: (database) =>
      `postgresql:///${database}?host=${encodeURIComponent(sockets)}&port=${PORT}&user=${SUPERUSER}`,
    stop: async () => {
      await server.stop();
      if (sockets !== directory) await rm(sockets, { recursive: true, force: true });
    },
  };
}

async function openDirectory(directory: string, binaries: PostgresBinaries): Promise<void> {
  await mkdir(directory, { recursive: true });
  if (binaries.owner) {
    await checkReach(directory);
    await chown(directory, binaries.owner.uid, binaries.owner.gid);
  }
  await chmod(directory, 0o700);
}

/** Another user runs the server: every folder above must let it pass. */
async function checkReach(directory: string): Promise<void> {
  for (let above = dirname(directory); ; above = dirname(above)) {
    if (((await stat(above)).mode & 0o001) === 0) {
      throw new Error(
        `Postgres does not run as root, and other users cannot pass ${above}: use another folder`,
      );
    }
    if (above === dirname(above)) return;
  }
}

/** Made beside its place and moved there when complete, so that half a cluster is never started. */
async function initialise(
  binaries: PostgresBinaries,
  directory: string,
  data: string,
): Promise<void> {
  const draft = `${data}.draft`;
  await rm(draft, { recursive: true, force: true });
  await promisify(execFile)(
    binaries.initdb,
    ['-D', draft, '-U', SUPERUSER, '--auth=trust', '-E', 'UTF8', '--locale=C.UTF-8'].concat(
      '--no-sync',
      '--no-instructions',
    ),
    { ...binaries.owner, cwd: '/', env: toEnvironment(binaries, directory) },
  );
  await rename(draft, data);
}

async function openSocketFolder(directory: string, binaries: PostgresBinaries): Promise<string> {
  if (Buffer.byteLength(directory) <= LONGEST_SOCKET_FOLDER) return directory;
  const sockets = await mkdtemp(join(tmpdir(), 'nzgw-pg-'));
  if (binaries.owner) await chown(sockets, binaries.owner.uid, binaries.owner.gid);
  return sockets;
}

/** Nothing of our own environment: it may name another server's data, port and locale. */
function toEnvironment(binaries: PostgresBinaries, directory: string): Record<string, string> {
  const libraries = `${join(directory, 'lib')}:${binaries.libraries}`;
  return {
    PATH: '/usr/bin:/bin',
    HOME: directory,
    LC_ALL: 'C.UTF-8',
    LD_LIBRARY_PATH: libraries,
    DYLD_LIBRARY_PATH: libraries,
  };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
