import { Redis } from 'ioredis';
import type { Socket } from 'node:net';

export type { Redis } from 'ioredis';

interface RedisOptions {
  readonly url: string;
  readonly connectionName: string;
  /** How long one command may take; a stopped Redis would otherwise hang it for ever. */
  readonly commandTimeoutMs: number;
}

/**
 * One connection that never queues: while Redis is away every command fails at once, and nothing
 * is sent again by itself, since a write that timed out may still be applied. It reconnects for ever.
 */
export function openRedis(options: RedisOptions): Redis {
  const redis = new GatheringRedis(toAddress(options.url), {
    connectionName: options.connectionName,
    commandTimeout: options.commandTimeoutMs,
    connectTimeout: 2_000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
    lazyConnect: true,
  });
  redis.on('error', () => undefined);
  void redis.connect().catch(() => undefined);
  return redis;
}

/**
 * What is asked in one turn of the event loop leaves in one write: ioredis writes every command by
 * itself, and a write to a socket costs more than the command.
 */
class GatheringRedis extends Redis {
  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
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
