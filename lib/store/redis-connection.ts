import { ClusterRedis, NODE_CLOSE, NODE_READY } from './redis-cluster.ts';
import type { Redis } from './redis.ts';

type Heard = Pick<Redis, 'on' | 'off'>;

/** Whether a command can be sent now, whatever its key: of a cluster, to every master. */
export function isConnected(redis: Pick<Redis, 'status'>): boolean {
  if (redis.status !== 'ready') return false;
  if (!(redis instanceof ClusterRedis)) return true;
  return redis.listMasters().every((node) => node.status === 'ready');
}

/**
 * Tells whenever there is a new connection, of a cluster one to any of its nodes: a cluster stays
 * ready while a node comes back. Returns what ends the telling.
 */
export function onConnection(redis: Heard, tell: () => void): () => void {
  return listen(redis, redis instanceof ClusterRedis ? ['ready', NODE_READY] : ['ready'], tell);
}

/** Tells whenever a connection has ended, of a cluster one to any of its nodes. Returns what ends that. */
export function onConnectionLost(redis: Heard, tell: () => void): () => void {
  return listen(redis, redis instanceof ClusterRedis ? ['close', NODE_CLOSE] : ['close'], tell);
}

function listen(redis: Heard, events: readonly string[], tell: () => void): () => void {
  for (const event of events) redis.on(event, tell);
  return () => {
    for (const event of events) redis.off(event, tell);
  };
}
