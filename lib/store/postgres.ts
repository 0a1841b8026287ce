import pg from 'pg';

export type Pool = pg.Pool;
export type PostgresClient = pg.Client;
/** What only asks, and cares for no session: a client or a pool's. */
export type Connection = Pick<pg.ClientBase, 'query'>;

/** bigint columns arrive as numbers: every count of ours stays below 2^53 by a check of the schema. */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);

interface PostgresOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly maxConnections: number;
  /** Bounds connecting and every statement. */
  readonly timeoutMs: number;
  /** Bounds connecting, where that is to be known sooner. */
  readonly connectTimeoutMs?: number;
}

/**
 * A bounded pool. An idle connection that dies is dropped in silence here; the next query tells.
 */
export function openPool(options: PostgresOptions): Pool {
  const pool = new pg.Pool({ ...toClientConfig(options), max: options.maxConnections });
  pool.on('error', () => undefined);
  return pool;
}

/** One connection outside any pool, not yet connected: for what must live on a session of its own. */
export function makeClient(options: Omit<PostgresOptions, 'maxConnections'>): PostgresClient {
  const client = new pg.Client(toClientConfig(options));
  client.on('error', () => undefined);
  return client;
}

/** How every connection of ours is made. */
export function toClientConfig(options: Omit<PostgresOptions, 'maxConnections'>): pg.ClientConfig {
  return {
    connectionString: options.url,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectTimeoutMs ?? options.timeoutMs,
    query_timeout: options.timeoutMs,
    statement_timeout: options.timeoutMs,
    keepAlive: true,
    types,
  };
}

/** The SQLSTATE of an error of Postgres, or undefined for anything else (a lost connection, say). */
export function readSqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
