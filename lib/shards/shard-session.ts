import { LOCK_CLASS, SELECT_GATEWAYS } from '../store/advisory-locks.ts';
import { makeClient } from '../store/postgres.ts';
import type { PostgresClient } from '../store/postgres.ts';
import type { Clock } from '../time/clock.ts';
import { inTime } from '../time/in-time.ts';

/**
 * Postgres ends a session of ours that has been silent for so long: the lock of a host that died
 * without a word must not wait for TCP to notice.
 */
const SILENCE_MS = 10_000;

const CLOSE_WITHIN_MS = 1_000;

/**
 * A connection of its own on which the lock of one shard is asked for and held. Whoever holds it is
 * the shard's owner; losing the session loses the lock. All but `end` reject as Postgres does, and
 * then the session is not to be used again.
 */
export interface ShardSession {
  readonly client: PostgresClient;
  /** Monotonic milliseconds of Postgres's last answer to anything that was asked on it. */
  readonly answeredAtMs: number | null;
  /** True if the lock is ours. Asked again by an owner it would be held twice, so it asks once. */
  tryLock(): Promise<boolean>;
  /** Proves the session, and with it the lock. */
  beat(): Promise<void>;
  /** Whether the gateway with this session (on which it reads changes) is the only one connected. */
  isAlone(gatewaySession: number): Promise<boolean>;
  /** Ends the session, and with it the lock and any open transaction. Never rejects. */
  end(): Promise<void>;
}

/** Connects. Rejects as Postgres does. */
export async function openShardSession(
  url: string,
  shard: number,
  clock: Clock,
): Promise<ShardSession> {
  const client = makeClient({
    url,
    applicationName: `nzgw shard ${shard}`,
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

  let answeredAtMs: number | null = null;
  client.on('drain', () => {
    answeredAtMs = clock.monotonicMs();
  });
  return {
    client,
    end,
    get answeredAtMs() {
      return answeredAtMs;
    },
    async tryLock() {
      const { rows } = await client.query<{ ours: boolean }>(
        'select pg_try_advisory_lock($1, $2) as ours',
        [LOCK_CLASS, shard],
      );
      return rows[0]?.ours === true;
    },
    async beat() {
      await client.query('select 1');
    },
    async isAlone(gatewaySession) {
      const { rows } = await client.query<{ pid: number }>(SELECT_GATEWAYS);
      return rows.length === 1 && rows[0]?.pid === gatewaySession;
    },
  };
}
