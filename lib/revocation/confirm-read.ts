import { readSqlState } from '../store/postgres.ts';
import type { PostgresClient } from '../store/postgres.ts';
import { cutAfter } from './bounded.ts';
import { CONFIRMED_CHANNEL } from './channels.ts';
import type { ReadPoint } from './read-changes.ts';

/** What one session says of how far it has read; whoever revoked a key may wait to hear it. */
export interface Confirmation {
  /** Somebody may be waiting from now on. */
  want(): void;
  /** Says it, if it is wanted and not said yet. Rejects as the connection does. */
  say(point: ReadPoint | undefined): Promise<void>;
}

/** What Postgres passes on in one notification. */
const MAX_NOTICE_BYTES = 7_999;
/** Where it is refused it is said again after the next polls, as long as somebody may be waiting. */
const MOST_TRIES = 4;
/** The queue of notifications is full; another transaction that notifies has not ended. */
const SURVIVED = ['54000', '55P03'];
/**
 * At its commit a notification takes a lock that is one for the whole server, and whoever holds it may
 * wait for a standby: without a bound of that wait this session would hang with it.
 */
const CONFIRM = `
  select set_config('lock_timeout', $2, true), pg_notify('${CONFIRMED_CHANNEL}', $1)`;

/**
 * Each try takes a third of the lease at most: it delays the next poll, and that must be in time.
 * Where Postgres takes no notification, who revoked a key hears that this gateway is missing; trust in
 * what was read is none the worse.
 */
export function makeConfirmation(client: PostgresClient, leaseMs: number): Confirmation {
  const lockTimeout = `${Math.floor(leaseMs / 3)}ms`;
  let triesLeft = 0;

  return {
    want() {
      triesLeft = MOST_TRIES;
    },
    async say(point) {
      if (point === undefined || triesLeft === 0) return;
      triesLeft -= 1;
      if (point.snapshot.length > MAX_NOTICE_BYTES) return;
      const said = client.query(CONFIRM, [point.snapshot, lockTimeout]);
      if (await isTaken(cutAfter(client, 2 * leaseMs, said))) triesLeft = 0;
    },
  };
}

/** Any other refusal rejects: the server may not be what it was taken for. */
async function isTaken(notification: Promise<unknown>): Promise<boolean> {
  try {
    await notification;
    return true;
  } catch (error) {
    if (SURVIVED.includes(readSqlState(error) ?? '')) return false;
    throw error;
  }
}
