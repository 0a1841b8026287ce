import type { Settings } from '../config/settings.ts';
import { makeClient } from '../store/postgres.ts';
import type { PostgresClient } from '../store/postgres.ts';

export const POSTGRES_TIMEOUT_MS = 5_000;

/** A connection of the primary's own, not made yet. */
export function openDutyClient(
  settings: Pick<Settings, 'databaseUrl'>,
  applicationName: string,
  connectTimeoutMs = POSTGRES_TIMEOUT_MS,
): PostgresClient {
  return makeClient({
    url: settings.databaseUrl,
    applicationName,
    connectTimeoutMs,
    timeoutMs: POSTGRES_TIMEOUT_MS,
  });
}
