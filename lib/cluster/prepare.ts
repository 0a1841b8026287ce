import { setTimeout as wait } from 'node:timers/promises';
import type { Settings } from '../config/settings.ts';
import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import { createShared } from '../shared/shared-writer.ts';
import type { SharedWriter } from '../shared/shared-writer.ts';
import { checkPostgres, keepsCommits, UnfitPostgresError } from '../store/postgres-check.ts';
import { makeClient } from '../store/postgres.ts';
import { checkRedis, UnfitRedisError } from '../store/redis-check.ts';
import type { Redis } from '../store/redis.ts';
import { IS_STANDBY, refuseStandby, StandbyError } from '../store/standby.ts';
import { SchemaError } from '../store/schema-error.ts';
import { checkSchema, readShards } from '../store/schema-guard.ts';

/** Of each worker: what a new key is looked up with, and renewed. */
export const WORKER_POSTGRES_CONNECTIONS = 2;

/** The gateway must not start; the text says why and what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Waiting mends none of these. */
const FINAL = [SchemaError, UnfitRedisError, UnfitPostgresError];
const RETRY_MS = 500;
const CONNECT_MS = 5_000;
const REMIND_EVERY = 20;

export interface Prepared {
  /** As fixed at `nzgw migrate`. */
  readonly shards: number;
}

/**
 * Waits for Postgres and Redis, for ever: they may be starting too, and a standby may be promoted.
 * What will not get better by waiting (schema, Redis's version and policy) throws StartError.
 */
export async function prepareStores(
  settings: Settings,
  redis: Redis,
  log: Logger,
  signal: AbortSignal,
): Promise<Prepared> {
  const shards = await keepTrying('postgres', log, signal, () => askPostgres(settings, log));
  await keepTrying('redis', log, signal, () =>
    checkRedis(redis, { allowVolatile: settings.allowVolatileRedis }),
  );
  return { shards };
}

/** Makes the shared-memory file. Throws StartError where that cannot be done. */
export function prepareShared(directory: string): SharedWriter {
  try {
    return createShared(directory);
  } catch (error) {
    const { 'error.code': code = 'unknown error' } = describeError(error);
    throw new StartError(
      `the shared-memory file cannot be made in ${directory} (${String(code)}): ` +
        'RUNTIME_DIRECTORY must name a folder that this user may write to',
    );
  }
}

async function askPostgres(settings: Settings, log: Logger): Promise<number> {
  const client = makeClient({
    url: settings.databaseUrl,
    applicationName: 'nzgw start',
    timeoutMs: CONNECT_MS,
  });
  try {
    await client.connect();
    // It may be promoted, or the address lead elsewhere soon: this is worth waiting for.
    const { rows } = await client.query<{ standby: boolean }>(`select ${IS_STANDBY}`);
    rows.forEach(refuseStandby);
    await checkSchema(client);
    const shards = await readShards(client);
    await checkPostgres(client, { connections: countConnections(settings, shards) });
    if (!(await keepsCommits(client))) {
      log.warn(
        { event: 'commits_may_be_lost' },
        'Postgres runs with synchronous_commit off: a crash of it may lose rows and sums of requests',
      );
    }
    return shards;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * At its busiest: two a worker, of which there is one more while they are replaced, one a shard to
 * drain, two to read changes and to hear of them, to prune, to sweep, to look at budgets, two of `nzgw`.
 */
export function countConnections({ workers }: Pick<Settings, 'workers'>, shards: number): number {
  return WORKER_POSTGRES_CONNECTIONS * (workers + 1) + shards + 7;
}

async function keepTrying<T>(
  what: string,
  log: Logger,
  signal: AbortSignal,
  act: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (FINAL.some((kind) => error instanceof kind) && error instanceof Error) {
        throw new StartError(error.message);
      }
      signal.throwIfAborted();
      if (attempt % REMIND_EVERY === 0) {
        const reason = error instanceof StandbyError ? `: ${error.message}` : '';
        const fields = { event: 'waiting', for: what, ...describeError(error) };
        log.warn(fields, `waiting for ${what}${reason}`);
      }
      await wait(RETRY_MS, undefined, { signal });
    }
  }
}
