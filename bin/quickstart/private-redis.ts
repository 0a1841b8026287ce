import { chmod, mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { findRedisServer } from './redis-server.ts';
import { startServerProcess } from './server-process.ts';
import { stopStaleServer } from './stale-server.ts';

const LONGEST_SOCKET_FOLDER = 80;

export interface PrivateRedisOptions {
  /** Holds socket and data; made if missing, mode 0700. A second start there finds its data again. */
  readonly directory: string;
  /** Whether writes survive a kill (AOF, everysec); without it nothing is kept. */
  readonly appendOnly: boolean;
  /** A TCP port on 127.0.0.1 instead of the socket; 0 takes a free one. */
  readonly port?: number;
  /** Further settings, as arguments of redis-server: `['--maxmemory', '10mb']`. */
  readonly settings?: readonly string[];
  /** Told in a line what takes its time. */
  readonly say?: (line: string) => void;
}

export interface PrivateRedis {
  readonly pid: number;
  readonly url: string;
  /** Ends the server in order; resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a Redis of our own: on a unix socket in a closed folder, or on a loopback port where one
 * is asked for. It evicts nothing. A server that was left behind there is ended first.
 * @throws Error with the server's last words if it does not start.
 */
export async function startPrivateRedis(options: PrivateRedisOptions): Promise<PrivateRedis> {
  const { directory, say = () => undefined } = options;
  const server = await findRedisServer(say);
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o700);
  const pidFile = join(directory, 'redis.pid');
  await stopStaleServer(pidFile, directory, 'SIGTERM');

  const place = await choosePlace(options);
  const kept = options.appendOnly ? ['yes', '--appendfsync', 'everysec'] : ['no'];
  const running = await startServerProcess({
    command: server.command,
    argv0: 'redis-server',
    arguments: place.arguments.concat(
      ['--dir', directory, '--pidfile', pidFile, '--set-proc-title', 'no'],
      ['--maxmemory-policy', 'noeviction', '--save', '', '--appendonly', ...kept],
      options.settings ?? [],
    ),
    environment: { PATH: '/usr/bin:/bin', LD_LIBRARY_PATH: server.libraries ?? '' },
    readyText: 'eady to accept connections',
    stopSignal: 'SIGTERM',
  });
  return { pid: running.pid, url: place.url, stop: () => running.stop() };
}

interface Place {
  readonly url: string;
  readonly arguments: readonly string[];
}

async function choosePlace({ directory, port }: PrivateRedisOptions): Promise<Place> {
  if (port === undefined && Buffer.byteLength(directory) <= LONGEST_SOCKET_FOLDER) {
    const socket = join(directory, 'redis.sock');
    return {
      url: `unix://${socket}`,
      arguments: ['--port', '0', '--unixsocket', socket, '--unixsocketperm', '700'],
    };
  }
  const chosen = port === undefined || port === 0 ? await findFreePort() : port;
  return {
    url: `redis://127.0.0.1:${chosen}`,
    arguments: ['--port', String(chosen), '--bind', '127.0.0.1'],
  };
}

async function findFreePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const server = createServer().once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    resolve(undefined);
  });
  await promise;
  const { port } = server.address() as AddressInfo;
  const closed = Promise.withResolvers<undefined>();
  server.close(() => {
    closed.resolve(undefined);
  });
  await closed.promise;
  return port;
}
