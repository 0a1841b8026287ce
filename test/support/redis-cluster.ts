import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Redis } from '../../lib/store/redis.ts';
import { connectRedis } from './connect-redis.ts';
import { startOneRedis } from './one-redis.ts';
import type { OwnRedis, OwnRedisOptions } from './one-redis.ts';
import { until } from './until.ts';

/** A Redis Cluster that one test has to itself: masters without replicas, a third of the slots each. */
export interface OwnRedisCluster extends OwnRedis {
  /** As `openRedis` takes them. */
  readonly urls: readonly string[];
  readonly nodes: readonly OwnRedis[];
  /** The node that has the key's slot, and so all keys with the same hash tag. */
  nodeOf(key: string): Promise<OwnRedis>;
}

const CLUSTER_TRIES = 3;
const WHOLE_WITHIN_MS = 20_000;
const SLOT_RANGES = [
  [0, 5_460],
  [5_461, 10_922],
  [10_923, 16_383],
] as const;

/** Starts three masters; the slots of one that is away are refused, those of the others served. */
export async function startRedisCluster(options: OwnRedisOptions = {}): Promise<OwnRedisCluster> {
  const { nodes, buses } = await startClusterNodes(options);
  const urls = nodes.map((node) => node.url);
  await withNodes(urls, async (clients) => {
    const [first] = clients;
    for (const [index, client] of clients.entries()) {
      await client.call('CLUSTER', 'ADDSLOTSRANGE', ...(SLOT_RANGES[index] ?? []));
      const port = new URL(urls[index] ?? '').port;
      await first?.call('CLUSTER', 'MEET', '127.0.0.1', port, buses[index] ?? 0);
    }
    await untilWhole(clients);
  });
  const onEach = async (act: (node: OwnRedis) => Promise<void>): Promise<void> => {
    await Promise.all(nodes.map(act));
  };
  return {
    url: urls.join(','),
    urls,
    nodes,
    folders: nodes.flatMap((node) => node.folders),
    get pids() {
      return nodes.flatMap((node) => node.pids);
    },
    nodeOf: (key) => findNode(nodes, key),
    signal: (name) => {
      for (const node of nodes) node.signal(name);
    },
    restart: async () => {
      await onEach((node) => node.restart());
      // Masters that come back serve nothing for 2 s, so that those who took over are heard first.
      await withNodes(urls, untilWhole);
    },
    stop: () => onEach((node) => node.stop()),
    remove: () => onEach((node) => node.remove()),
  };
}

async function withNodes(
  urls: readonly string[],
  act: (clients: readonly Redis[]) => Promise<void>,
): Promise<void> {
  const clients = await Promise.all(urls.map(connectRedis));
  try {
    await act(clients);
  } finally {
    for (const client of clients) client.disconnect();
  }
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
async function startClusterNodes(
  options: OwnRedisOptions,
): Promise<{ nodes: OwnRedis[]; buses: number[] }> {
  for (let tries = 1; ; tries += 1) {
    const buses = await Promise.all(SLOT_RANGES.map(findFreePort));
    const started = await Promise.allSettled(buses.map((bus) => startClusterNode(bus, options)));
    const nodes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    if (nodes.length === buses.length) return { nodes, buses };
    await Promise.all(nodes.map((node) => node.remove()));
    const failed = started.find((one) => one.status === 'rejected');
    if (tries === CLUSTER_TRIES) throw failed?.reason;
  }
}

function startClusterNode(bus: number, options: OwnRedisOptions): Promise<OwnRedis> {
  return startOneRedis({
    ...options,
    port: 0,
    settings: [
      ...['--cluster-enabled', 'yes', '--cluster-port', String(bus)],
      ...['--cluster-config-file', 'nodes.conf', '--cluster-node-timeout', '2000'],
      ...['--cluster-require-full-coverage', 'no'],
      ...(options.settings ?? []),
    ],
  });
}

async function untilWhole(clients: readonly Redis[]): Promise<void> {
  await until(async () => (await Promise.all(clients.map(isWhole))).every(Boolean), {
    withinMs: WHOLE_WITHIN_MS,
    what: 'the nodes to know each other',
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
