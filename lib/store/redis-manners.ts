import type { CommonRedisOptions } from 'ioredis';

/** How a connection behaves, whether it leads to one Redis or to a node of a cluster. */
export interface RedisManners {
  readonly connectionName: string;
  /** How long one command may take; a stopped Redis would otherwise hang it for ever. */
  readonly commandTimeoutMs: number;
}

const CONNECT_TIMEOUT_MS = 2_000;

/**
 * A network that died without a word leaves a socket that looks alive for as long as TCP tries, a
 * quarter of an hour. Counted only while an answer is due: an idle connection is left alone.
 */
const SILENCE_MS = 7_000;

type ConnectionOptions = Pick<
  CommonRedisOptions,
  | 'connectionName'
  | 'commandTimeout'
  | 'connectTimeout'
  | 'socketTimeout'
  | 'autoResendUnfulfilledCommands'
  | 'maxRetriesPerRequest'
>;

/** What every connection to a Redis has in common, as ioredis wants it. */
export function toConnectionOptions(manners: RedisManners): ConnectionOptions {
  return {
    connectionName: manners.connectionName,
    commandTimeout: manners.commandTimeoutMs,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_MS,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  };
}

/** Milliseconds to wait before a further attempt to connect. */
export function backOff(attempt: number): number {
  return Math.min(50 * attempt, 500);
}
