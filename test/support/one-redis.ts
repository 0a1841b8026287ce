import { startPrivateRedis } from '../../bin/quickstart/private-redis.ts';
import type { PrivateRedis } from '../../bin/quickstart/private-redis.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

/** A Redis that one test has to itself: it may be stopped, killed and started again. */
export interface OwnRedis {
  /** As REDIS_URL has it: the nodes of a cluster are separated by commas. */
  readonly url: string;
  /** Its processes: one, or one for each node of a cluster. */
  readonly pids: readonly number[];
  /** Where its data lies, a folder for each process. */
  readonly folders: readonly string[];
  /** To all its processes. */
  signal(name: NodeJS.Signals): void;
  /** Starts again at the same address after `stop` or a kill; what was on disk is loaded. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it and removes its folders. */
  remove(): Promise<void>;
}

export interface OwnRedisOptions {
  /** AOF, unless told otherwise. */
  readonly appendOnly?: boolean;
  /** On TCP, where a proxy must stand before it; 0 takes a free one. */
  readonly port?: number;
  readonly settings?: readonly string[];
}

/** Starts one server, whatever the topology of the run. */
export async function startOneRedis(options: OwnRedisOptions = {}): Promise<OwnRedis> {
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
    folders: [directory.path],
    get pids() {
      return [running.pid];
    },
    signal: (name) => {
      process.kill(running.pid, name);
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
