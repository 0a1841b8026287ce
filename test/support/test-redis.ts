import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { startPrivateRedis } from '../../bin/quickstart/private-redis.ts';
import type { PrivateRedis } from '../../bin/quickstart/private-redis.ts';
import { ClusterRedis } from '../../lib/store/redis-cluster.ts';
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

/** A Redis Cluster that one test has to itself: masters without replicas, a third of the slots each. */
export interface OwnRedisCluster {
  /** As `openRedis` takes them; REDIS_URL has them separated by commas. */
  readonly urls: readonly string[];
  readonly nodes: readonly OwnRedis[];
  /** The node that has the key's slot, and so all keys with the same hash tag. */
  nodeOf(key: string): Promise<OwnRedis>;
  /** Stops the nodes and removes their folders. */
  remove(): Promise<void>;
}

const CLUSTER_TRIES = 3;
const SLOT_RANGES = [
  [0, 5_460],
  [5_461, 10_922],
  [10_923, 16_383],
] as const;

let shared: Promise<TestRedis> | undefined;

/** The server that all tests of the process share; nothing is kept on disk. */
export function startTestRedis(): Promise<TestRedis> {
  shared ??= startShared();
  return shared;
}

/** A connection that is ready, with the product's own options. Close it with `disconnect()`. */
export async function connectRedis(url: string | readonly string[]): Promise<Redis> {
  const redis = openRedis({ url, connectionName: 'test', commandTimeoutMs: 5_000 });
  try {
    await until(() => isConnected(redis), { withinMs: 5_000, what: 'redis to be connected' });
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return redis;
}

/** A cluster is ready a moment before the connections to its nodes are. */
function isConnected(redis: Redis): boolean {
  if (redis.status !== 'ready' || !(redis instanceof ClusterRedis)) return redis.status === 'ready';
  return redis.listMasters().every((node) => node.status === 'ready');
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

/** Starts three masters; the slots of one that is away are refused, those of the others served. */
export async function startRedisCluster(): Promise<OwnRedisCluster> {
  const { nodes, buses } = await startClusterNodes();
  const urls = nodes.map((node) => node.url);
  const clients = await Promise.all(urls.map(connectRedis));
  try {
    const [first] = clients;
    for (const [index, client] of clients.entries()) {
      await client.call('CLUSTER', 'ADDSLOTSRANGE', ...(SLOT_RANGES[index] ?? []));
      const port = new URL(urls[index] ?? '').port;
      await first?.call('CLUSTER', 'MEET', '127.0.0.1', port, buses[index] ?? 0);
    }
    await until(async () => (await Promise.all(clients.map(isWhole))).every(Boolean), {
      withinMs: 20_000,
      what: 'the nodes to know each other',
    });
  } finally {
    for (const client of clients) client.disconnect();
  }
  return {
    urls,
    nodes,
    nodeOf: (key) => findNode(nodes, key),
    remove: async () => {
      await Promise.all(nodes.map((node) => node.remove()));
    },
  };
}

async function findNode(nodes: readonly OwnRedis[], key: string): Promise<OwnRedis> {
  for (const node of nodes) {
    const client = await connectRedis(node.url).catch(() => undefined);
    const slot = Number(await client?.call('CLUSTER', 'KEYSLOT', key));
    client?.disconnect();
    const found = nodes[SLOT_RANGES.findIndex(([, last]) => slot <= last)];
    if (found) return found;
  }
  throw new Error('no node answers');
}

/** A port that was free can be taken by the time it is wanted: then all start anew, a few times. */
async function startClusterNodes(): Promise<{ nodes: OwnRedis[]; buses: number[] }> {
  for (let tries = 1; ; tries += 1) {
    const buses = await Promise.all(SLOT_RANGES.map(findFreePort));
    const started = await Promise.allSettled(buses.map(startClusterNode));
    const nodes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    if (nodes.length === buses.length) return { nodes, buses };
    await Promise.all(nodes.map((node) => node.remove()));
    const failed = started.find((one) => one.status === 'rejected');
    if (tries === CLUSTER_TRIES) throw failed?.reason;
  }
}

function startClusterNode(bus: number): Promise<OwnRedis> {
  return startOwnRedis({
    port: 0,
    settings: [
      ...['--cluster-enabled', 'yes', '--cluster-port', String(bus)],
      ...['--cluster-config-file', 'nodes.conf', '--cluster-node-timeout', '2000'],
      ...['--cluster-require-full-coverage', 'no'],
    ],
  });
}

async function isWhole(node: Redis): Promise<boolean> {
  const info = String(await node.call('CLUSTER', 'INFO'));
  return info.includes('cluster_state:ok') && info.includes('cluster_slots_ok:16384');
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
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
