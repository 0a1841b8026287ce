import { makeClient } from '../store/postgres.ts';
import type { PostgresClient } from '../store/postgres.ts';
import { inTime } from '../time/in-time.ts';

/** First number of the project's advisory locks: "nz" in ASCII. The second is the shard. */
const LOCK_CLASS = 0x6e7a;

/**
 * Postgres ends a session of ours that has been silent for so long: the lock of a host that died
 * without a word must not wait for TCP to notice.
 */
const SILENCE_MS = 10_000;

const CLOSE_WITHIN_MS = 1_000;

/**
 * A connection of its own on which the lock of one shard is asked for and held. Whoever holds it is
 * the shard's owner; losing the session loses the lock.
 */
export interface ShardSession {
  readonly client: PostgresClient;
  /** True if the lock is ours. Asked again by an owner it would be held twice, so it asks once. */
  tryLock(): Promise<boolean>;
  /** Ends the session, and with it the lock and any open transaction. Never rejects. */
  end(): Promise<void>;
}

/** Connects. Rejects as Postgres does. */
export async function openShardSession(url: string, shard: number): Promise<ShardSession> {
  const client = makeClient({
    url,
    applicationName: `nzgw drain ${shard}`,
    timeoutMs: SILENCE_MS,
  });
  // A dead network answers no farewell.
  const end = (): Promise<void> =>
    inTime(
      CLOSE_WITHIN_MS,
      client.end().catch(() => undefined),
      () => undefined,
    );
  try {
    await client.connect();
    await client.query(
      `select set_config('idle_session_timeout', $1, false),
              set_config('idle_in_transaction_session_timeout', $1, false)`,
      [`${SILENCE_MS}ms`],
    );
  } catch (error) {
    await end();
    throw error;
  }
  return {
    client,
    end,
    async tryLock() {
      const { rows } = await client.query<{ ours: boolean }>(
        'select pg_try_advisory_lock($1, $2) as ours',
        [LOCK_CLASS, shard],
      );
      return rows[0]?.ours === true;
    },
  };
}
