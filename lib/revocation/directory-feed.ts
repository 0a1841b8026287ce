import type { SharedWriter } from '../shared/shared-writer.ts';
import type { PostgresClient } from '../store/postgres.ts';
import type { Clock } from '../time/clock.ts';
import { cutAfter, waitAtMost } from './bounded.ts';
import { makeConfirmation } from './confirm-read.ts';
import type { Patience } from './patience.ts';
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
  /** For each answer of a whole load. */
  readonly patience: Patience;
  /** Tells the workers that something changed in shared memory. */
  readonly announce: () => void;
}

/** From one connection into shared memory. */
export interface DirectoryFeed {
  /** Reads all. Gives the new deadline, in monotonic ms. */
  load(): Promise<number>;
  /** Reads what changed since; all, if that is too much or the server is another. Gives the same. */
  poll(): Promise<number>;
  /** Says up to where it was read, if somebody may wait to hear it; the workers know by then. */
  confirm(): Promise<void>;
}

/**
 * Makes what Postgres says true in shared memory, and only then moves the deadline: to the moment
 * the query was sent plus the lease. All reject as the connection does; what reads, with
 * SharedWriteError and StandbyError too.
 */
export function makeDirectoryFeed(parts: FeedParts, client: PostgresClient): DirectoryFeed {
  const { shared, clock, leaseMs, marks, runId, announce, patience } = parts;
  let point: ReadPoint | undefined;
  const confirmation = makeConfirmation(client, leaseMs);

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
    const whole = await patience.spend((withinMs) => readDirectory(client, withinMs));
    const revoked = write(() => shared.replaceDirectory(whole.keys, whole.tenants));
    announce();
    await markRevoked(revoked);
    point = whole.point;
    confirmation.want();
    return trustFrom(sentAtMs);
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
    if (changed.revoked) confirmation.want();
    return trustFrom(sentAtMs);
  }

  return { load, poll, confirm: () => confirmation.say(point) };
}

function write<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new SharedWriteError('shared memory cannot be written', { cause });
  }
}
