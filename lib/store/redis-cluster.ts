import { Cluster } from 'ioredis';
import type { CommonRedisOptions, Redis } from 'ioredis';
import type { Socket } from 'node:net';
import { backOff, toConnectionOptions } from './redis-manners.ts';
import type { RedisManners } from './redis-manners.ts';

/** Who has which slots is asked this often: a fail-over that no reply tells of is found so. */
const SLOTS_REFRESH_MS = 5_000;

/**
 * After these a node is forgotten until the slots are asked for again. Were it kept for ever, a
 * cluster whose nodes all came back under other addresses would never be looked up by name again.
 */
const NODE_ATTEMPTS = 10;

/** Emitted when a connection to one of the nodes stands, and when one that stood has ended. */
export const NODE_READY = 'node ready';
export const NODE_CLOSE = 'node close';

/**
 * Connects to every master of a Redis Cluster, with the manners of a single connection: a command
 * whose node is away fails at once, and none is sent again but where the node itself refused it and
 * named another (MOVED, ASK, TRYAGAIN). ioredis makes the connections to the nodes itself.
 */
export class ClusterRedis extends Cluster {
  #isGathering = false;
  #failure = new Error('the nodes have not answered yet');

  /** Credentials and TLS are those of the first address. It connects when told to. */
  constructor(urls: readonly string[], manners: RedisManners) {
    const nodes = urls.map((url) => new URL(url));
    super(nodes.map(toNode), {
      redisOptions: { ...toConnectionOptions(manners), ...toAccess(nodes[0]) },
      enableOfflineQueue: false,
      // A cluster that has lost some slots serves the others: its commands tell.
      enableReadyCheck: false,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      clusterRetryStrategy: backOff,
      // While it is being connected a node that is away ends at once. ioredis gives its nodes up
      // then, and one that waits for its next attempt says nothing of its end: nobody would try again.
      clusterNodeRetryStrategy: (attempt) =>
        this.status !== 'ready' || attempt > NODE_ATTEMPTS ? null : backOff(attempt),
      slotsRefreshInterval: SLOTS_REFRESH_MS,
      // Names are looked up at each connection, and TLS must see them.
      dnsLookup: (name, done) => {
        done(null, name);
      },
      lazyConnect: true,
    });
    this.on('error', (error: Error & { readonly lastNodeError?: Error }) => {
      this.#failure = error.lastNodeError ?? error;
    });
    this.on('+node', (node: Redis) => {
      this.#watch(node);
      endAloud(node);
      connectSoon(node);
    });
  }

  /** @throws Error, with the words of the last node that was asked, while it is not connected. */
  listMasters(): readonly Redis[] {
    if (this.status !== 'ready') throw this.#failure;
    return this.nodes('master');
  }

  /** What is asked in one turn of the event loop leaves in one write to each node. */
  override sendCommand(...args: Parameters<Cluster['sendCommand']>): unknown {
    if (!this.#isGathering) this.#gather();
    return super.sendCommand(...args);
  }

  /** ioredis tells of the cluster as a whole alone, which is ready while a single node comes and goes. */
  #watch(node: Redis): void {
    let stood = false;
    node.on('ready', () => {
      stood = true;
      this.emit(NODE_READY);
    });
    node.on('close', () => {
      // An attempt that failed ends so too.
      if (stood) this.emit(NODE_CLOSE);
      stood = false;
    });
  }

  #gather(): void {
    this.#isGathering = true;
    // Typed as always there, but not before the first connection.
    const streams = this.nodes('master').map((node) => node.stream as Socket | undefined);
    for (const stream of streams) stream?.cork();
    setImmediate(() => {
      this.#isGathering = false;
      for (const stream of streams) stream?.uncork();
    });
  }
}

/**
 * Left to itself ioredis connects to a node when a command is for it, and refuses the commands that
 * come until it is connected. Not at once: a command that was sent on to a new node must find it
 * untouched.
 */
function connectSoon(node: Redis): void {
  setImmediate(() => {
    const isUnused = node.status === 'wait' && node.options.readOnly !== true;
    if (isUnused) void node.connect().catch(() => undefined);
  });
}

/**
 * A node that is given up while it waits for its next attempt says nothing of its end. Were it the
 * last one (nodes that were made anew answer that they have no slots), the cluster would stay ready
 * without any node, and nobody would try again.
 */
function endAloud(node: Redis): void {
  const disconnect = node.disconnect.bind(node);
  node.disconnect = (reconnect = false) => {
    const isWaiting = node.status === 'reconnecting';
    disconnect(reconnect);
    // Not before ioredis has put others in its place.
    if (isWaiting && !reconnect) setImmediate(() => node.emit('end'));
  };
}

function toNode(url: URL): { host: string; port: number } {
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6_379) };
}

function toAccess(
  first: URL | undefined,
): Pick<CommonRedisOptions, 'username' | 'password'> & { tls?: object } {
  if (!first) return {};
  return {
    ...(first.username === '' ? {} : { username: decodeURIComponent(first.username) }),
    ...(first.password === '' ? {} : { password: decodeURIComponent(first.password) }),
    ...(first.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}
