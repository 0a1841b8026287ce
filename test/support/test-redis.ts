import { startPrivateRedis } from '../../bin/quickstart/private-redis.ts';
import type { PrivateRedis } from '../../bin/quickstart/private-redis.ts';
import { openRedis } from '../../lib/store/redis.ts';
import type { Redis } from '../../lib/store/redis.ts';
import { stopAtEnd } from './stop-at-end.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';
import { until } from './until.ts';

export interface TestRedis {
  readonly url: string;
  /** Empties it, functions and scripts apart. */
  flush(): Promise<void>;
}

/** A Redis that one test has to itself: it may be stopped, killed and started again. */
export interface OwnRedis {
  readonly url: string;
  readonly pid: number;
  /** Starts again at the same address after `stop` or a kill; what was on disk is loaded. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
}

let shared: Promise<TestRedis> | undefined;

/** The server that all tests of the process share; nothing is kept on disk. */
export function startTestRedis(): Promise<TestRedis> {
  shared ??= startShared();
  return shared;
}

/** A connection that is ready, with the product's own options. Close it with `disconnect()`. */
export async function connectRedis(url: string): Promise<Redis> {
  const redis = openRedis({ url, connectionName: 'test', commandTimeoutMs: 5_000 });
  await until(() => redis.status === 'ready', { withinMs: 5_000, what: 'redis to be connected' });
  return redis;
}

/** Starts a private server, with AOF unless told otherwise; on TCP if a proxy must stand before it. */
export async function startOwnRedis(
  options: { appendOnly?: boolean; port?: number; settings?: readonly string[] } = {},
): Promise<OwnRedis> {
  const directory = await makeTemporaryDirectory('redis');
  const start = (port = options.port): Promise<PrivateRedis> =>
    startPrivateRedis({
      directory: directory.path,
      appendOnly: options.appendOnly ?? true,
      ...(port === undefined ? {} : { port }),
      settings: options.settings ?? [],
    });
  let running = await start();
  const { url } = running;
  const samePort = options.port === undefined ? undefined : Number(new URL(url).port);
  return {
    url,
    get pid() {
      return running.pid;
    },
    restart: async () => {
      await running.stop();
      running = await start(samePort);
    },
    stop: () => running.stop(),
    remove: async () => {
      await running.stop();
      await directory.remove();
    },
  };
}

async function startShared(): Promise<TestRedis> {
  const directory = await makeTemporaryDirectory('redis');
  const redis = await startPrivateRedis({ directory: directory.path, appendOnly: false });
  const client = await connectRedis(redis.url);
  stopAtEnd(async () => {
    shared = undefined;
    client.disconnect();
    await redis.stop();
    await directory.remove();
  });
  return {
    url: redis.url,
    flush: async () => {
      await client.flushall();
    },
  };
}
