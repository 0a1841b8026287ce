import type { KeyRow } from '../shared/records.ts';
import type { SharedWriter } from '../shared/shared-writer.ts';
import type { PostgresClient } from '../store/postgres.ts';
import type { Clock } from '../time/clock.ts';
import { cutAfter, waitAtMost } from './bounded.ts';
import { readChanges } from './read-changes.ts';
import type { ReadPoint } from './read-changes.ts';
import { readDirectory } from './read-directory.ts';

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
   * Tells others than shared memory of revoked keys. It may fail, and is waited for only a part of
   * the lease: the workers know by then.
   */
  readonly markRevoked: (keys: readonly KeyRow[]) => Promise<void>;
}

/** From one connection into shared memory. Both give the new deadline, in monotonic ms. */
export interface DirectoryFeed {
  /** Reads all. */
  load(): Promise<number>;
  /** Reads what changed since; all, if that is too much or the server is another. */
  poll(): Promise<number>;
}

/**
 * Makes what Postgres says true in shared memory, and only then moves the deadline: to the moment
 * the query was sent plus the lease. Both reject as the connection does, or with SharedWriteError.
 */
export function makeDirectoryFeed(parts: FeedParts, client: PostgresClient): DirectoryFeed {
  const { shared, clock, leaseMs, runId } = parts;
  let point: ReadPoint | undefined;

  function trustFrom(sentAtMs: number): number {
    const deadlineMs = sentAtMs + leaseMs;
    write(() => {
      shared.putTrust({ deadlineMs, runId });
    });
    return deadlineMs;
  }

  async function load(): Promise<number> {
    const sentAtMs = clock.monotonicMs();
    const whole = await readDirectory(client);
    write(() => {
      shared.replaceDirectory(whole.keys, whole.tenants);
    });
    point = whole.point;
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
      const revoked = keys.filter((key) => key.status === 'revoked');
      if (revoked.length > 0) await waitAtMost(parts.markRevoked(revoked), leaseMs / 3);
    }
    point = changed.point;
    return trustFrom(sentAtMs);
  }

  return { load, poll };
}

function write(act: () => void): void {
  try {
    act();
  } catch (cause) {
    throw new SharedWriteError('shared memory cannot be written', { cause });
  }
}
