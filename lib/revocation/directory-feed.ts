import type { SharedWriter } from '../shared/shared-writer.ts';
import { readSqlState } from '../store/postgres.ts';
import type { PostgresClient } from '../store/postgres.ts';
import type { Clock } from '../time/clock.ts';
import { cutAfter, waitAtMost } from './bounded.ts';
import { CONFIRMED_CHANNEL } from './channels.ts';
import { readChanges } from './read-changes.ts';
import type { ReadPoint } from './read-changes.ts';
import { readDirectory } from './read-directory.ts';
import type { RevokedKey, RevokedMarks } from './revoked-marks.ts';

/** Shared memory could not be written: nothing true can be told to the workers any more. */
export class SharedWriteError extends Error {
  override readonly name = 'SharedWriteError';
}

export interface FeedParts {
  readonly shared: Pick<SharedWriter, 'putTrust' | 'replaceDirectory' | 'applyChanges'>;
  readonly clock: Clock;
  /** Which life of the primary this is. */
  readonly runId: string;
  readonly leaseMs: number;
  /**
   * Tells others than shared memory of revoked keys. It is waited for only a part of the lease: the
   * workers know by then.
   */
  readonly marks: RevokedMarks;
  /** Tells the workers that something changed in shared memory. */
  readonly announce: () => void;
}

/** From one connection into shared memory. Both give the new deadline, in monotonic ms. */
export interface DirectoryFeed {
  /** Reads all. */
  load(): Promise<number>;
  /** Reads what changed since; all, if that is too much or the server is another. */
  poll(): Promise<number>;
}

/** What Postgres passes on in one notification. */
const MAX_NOTICE_BYTES = 7_999;
/** The queue of notifications is full; another transaction that notifies has not ended. */
const SURVIVED = ['54000', '55P03'];
const CONFIRM = `select pg_notify('${CONFIRMED_CHANNEL}', $1)`;

/**
 * Makes what Postgres says true in shared memory, and only then moves the deadline: to the moment
 * the query was sent plus the lease. Both reject as the connection does, or with SharedWriteError.
 */
export function makeDirectoryFeed(parts: FeedParts, client: PostgresClient): DirectoryFeed {
  const { shared, clock, leaseMs, marks, runId, announce } = parts;
  let point: ReadPoint | undefined;

  function trustFrom(sentAtMs: number): number {
    const deadlineMs = sentAtMs + leaseMs;
    write(() => {
      shared.putTrust({ deadlineMs, runId });
    });
    return deadlineMs;
  }

  async function markRevoked(keys: readonly RevokedKey[]): Promise<void> {
    marks.add(keys);
    const marking = marks.flush();
    if (keys.length > 0) await waitAtMost(marking, leaseMs / 3);
  }

  async function load(): Promise<number> {
    const sentAtMs = clock.monotonicMs();
    const whole = await readDirectory(client);
    const revoked = write(() => shared.replaceDirectory(whole.keys, whole.tenants));
    announce();
    await markRevoked(revoked);
    point = whole.point;
    const deadlineMs = trustFrom(sentAtMs);
    await confirm(client, point, 2 * leaseMs);
    return deadlineMs;
  }

  async function poll(): Promise<number> {
    const sentAtMs = clock.monotonicMs();
    // Later than the lease, or a slow server would be asked for everything again and again.
    const cutMs = 2 * leaseMs;
    const changed = point && (await cutAfter(client, cutMs, readChanges(client, point)));
    if (!changed) return load();

    const { keys, tenants } = changed;
    if (keys.length + tenants.length > 0) {
      write(() => {
        shared.applyChanges({ keys, tenants });
      });
      announce();
    }
    await markRevoked(keys.filter((key) => key.status === 'revoked'));
    point = changed.point;
    const deadlineMs = trustFrom(sentAtMs);
    if (changed.revoked) await confirm(client, point, 2 * leaseMs);
    return deadlineMs;
  }

  return { load, poll };
}

/**
 * Whoever revoked a key may wait for this; the workers know by now. Where Postgres takes no
 * notification at the moment that one hears that this gateway is missing; trust in what was read is
 * none the worse. Any other refusal may mean that the server is not what it was taken for.
 */
async function confirm(
  client: PostgresClient,
  { snapshot }: ReadPoint,
  withinMs: number,
): Promise<void> {
  if (snapshot.length > MAX_NOTICE_BYTES) return;
  try {
    await cutAfter(client, withinMs, client.query(CONFIRM, [snapshot]));
  } catch (error) {
    if (!SURVIVED.includes(readSqlState(error) ?? '')) throw error;
  }
}

function write<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new SharedWriteError('shared memory cannot be written', { cause });
  }
}
