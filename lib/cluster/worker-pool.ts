import { openPool } from '../store/postgres.ts';
import type { Pool } from '../store/postgres.ts';
import { WORKER_POSTGRES_CONNECTIONS } from './prepare.ts';

const POSTGRES_TIMEOUT_MS = 2_000;

/** A worker's connections to Postgres: for keys that are new to this host. */
export function openWorkerPool({ databaseUrl }: { readonly databaseUrl: string }): Pool {
  return openPool({
    url: databaseUrl,
    applicationName: 'nzgw worker',
    maxConnections: WORKER_POSTGRES_CONNECTIONS,
    timeoutMs: POSTGRES_TIMEOUT_MS,
  });
}
