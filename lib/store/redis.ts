import { Redis as SingleRedis } from 'ioredis';
import type { RedisCommander } from 'ioredis';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { ClusterRedis } from './redis-cluster.ts';
import { backOff, toConnectionOptions } from './redis-manners.ts';
import type { RedisManners } from './redis-manners.ts';

interface RedisOptions extends RedisManners {
  /** One address, a unix socket's too, or several nodes of a Redis Cluster. */
  readonly url: string | readonly string[];
}

/** A connection to one Redis, or to all nodes of a Redis Cluster: what both can do. */
export interface Redis
  extends
    RedisCommander<{ type: 'default'; mapping: 'resp2' }>,
    Pick<EventEmitter, 'on' | 'once' | 'off' | 'listenerCount'> {
  /** `ready`, or how far it is from that. A cluster is ready while it knows who has which slots. */
  readonly status: string;
  /** Adds a command that runs a Lua script, under its name. */
  defineCommand(name: string, script: { lua: string; numberOfKeys?: number }): void;
  connect(): Promise<void>;
  /** Ends it for good. */
  disconnect(): void;
}

/**
 * One connection that never queues: while Redis is away every command fails at once, and nothing
 * is sent again by itself, since a write that timed out may still be applied. It reconnects for ever.
 */
export function openRedis(options: RedisOptions): Redis {
  const [first = '', ...others] = typeof options.url === 'string' ? [options.url] : options.url;
  const redis =
    others.length > 0 ? new ClusterRedis([first, ...others], options) : openSingle(first, options);
  redis.on('error', () => undefined);
  void redis.connect().catch(() => undefined);
  return redis;
}

function openSingle(url: string, manners: RedisManners): GatheringRedis {
  return new GatheringRedis(toAddress(url), {
    ...toConnectionOptions(manners),
    enableOfflineQueue: false,
    retryStrategy: backOff,
    lazyConnect: true,
  });
}

/**
 * What is asked in one turn of the event loop leaves in one write: ioredis writes every command by
 * itself, and a write to a socket costs more than the command.
 */
class GatheringRedis extends SingleRedis {
  override sendCommand(...args: Parameters<SingleRedis['sendCommand']>): unknown {
    // Typed as always there, but not before the first connection.
    const stream = this.stream as Socket | undefined;
    if (stream?.writable === true && stream.writableCorked === 0) {
      stream.cork();
      setImmediate(() => {
        stream.uncork();
      });
    }
    return super.sendCommand(...args);
  }
}

/** ioredis takes a bare path for a unix socket. */
function toAddress(url: string): string {
  return url.startsWith('unix:') ? new URL(url).pathname : url;
}
