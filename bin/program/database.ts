import { waitAtMost } from '../../lib/revocation/bounded.ts';
import { openPool } from '../../lib/store/postgres.ts';
import type { Pool } from '../../lib/store/postgres.ts';
import { checkSchema } from '../../lib/store/schema-guard.ts';
import type { Queries } from '../../lib/tenants/queries.ts';
import type { Context } from './command.ts';
import { toDatabaseError } from './database-error.ts';

/** A person waits: longer than this, and something is wrong. */
const TIMEOUT_MS = 10_000;
const CLOSE_WITHIN_MS = 500;

export interface DatabaseOptions {
  /** Bounds connecting and every statement; 10 s unless a statement reads very much. */
  readonly timeoutMs?: number;
}

/**
 * Lends a connection to Postgres whose schema is the one this program knows, and ends it on every
 * path. Throws CommandError `postgres_unreachable`, `postgres_refused`, `schema_…`, and whatever
 * the act throws.
 */
export async function withDatabase<T>(
  context: Context<'databaseUrl'>,
  act: (queries: Queries, pool: Pool) => Promise<T>,
  { timeoutMs = TIMEOUT_MS }: DatabaseOptions = {},
): Promise<T> {
  const pool = openPool({
    url: context.settings.databaseUrl,
    applicationName: 'nzgw',
    maxConnections: 1,
    timeoutMs,
  });
  try {
    await checkSchema(pool);
    return await act(pool, pool);
  } catch (error) {
    throw toDatabaseError(error);
  } finally {
    // What was done is told, whatever becomes of the connection.
    await waitAtMost(pool.end(), CLOSE_WITHIN_MS);
  }
}
