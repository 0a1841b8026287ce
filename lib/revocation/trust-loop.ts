import type { PostgresClient } from '../store/postgres.ts';
import { waitAtMost } from './bounded.ts';
import { makeDirectoryFeed, SharedWriteError } from './directory-feed.ts';
import type { FeedParts } from './directory-feed.ts';
import { makePause } from './pause.ts';
import { makeRevokedMarks } from './revoked-marks.ts';
import type { MarkRevoked } from './revoked-marks.ts';

export interface TrustLoopParts extends Omit<FeedParts, 'marks'> {
  /** Marks a key where admission looks; tried again at each poll until it succeeds. */
  readonly markRevoked: MarkRevoked;
  /** A new client, not connected yet; its time-out bounds connecting and one batch of a load. */
  readonly makeClient: () => PostgresClient;
  readonly pollMs: number;
  /** Postgres was lost or refused; the loop goes on trying. */
  readonly onTrouble: (error: unknown) => void;
  /** Shared memory cannot be written; the loop has ended, and so must the process. */
  readonly onFatal: (error: unknown) => void;
}

export interface TrustLoop {
  /** Resolves when the directory was read once. Never rejects; pending while Postgres is away. */
  readonly firstSnapshot: Promise<void>;
  /** Monotonic ms until which the directory is believed; -Infinity before it was read once. */
  state(): { readonly deadlineMs: number };
  /** Ends after the query under way. */
  stop(): Promise<void>;
}

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;
const CLOSE_MS = 500;

/**
 * Keeps shared memory true (SPEC §10): reads the changes of Postgres every `pollMs` on a connection
 * of its own. While that cannot be done the deadline passes, and the workers believe nothing.
 *
 * After every reconnect the whole directory is read anew. The server behind an address may be
 * another one by then, or one that crashed and gives transaction numbers out again; nothing that
 * an unprivileged role may ask tells that for certain.
 */
export function startTrustLoop(parts: TrustLoopParts): TrustLoop {
  const pause = makePause();
  const marks = makeRevokedMarks(parts.markRevoked);
  const first = Promise.withResolvers<undefined>();
  let deadlineMs = -Infinity;
  let retryMs = FIRST_RETRY_MS;
  let stopped = false;
  const isStopped = () => stopped;

  async function follow(client: PostgresClient): Promise<void> {
    await client.connect();
    const feed = makeDirectoryFeed({ ...parts, marks }, client);
    deadlineMs = await feed.load();
    retryMs = FIRST_RETRY_MS;
    first.resolve(undefined);
    while (!stopped) {
      // After a slow load the lease is over already: read again at once.
      if (parts.clock.monotonicMs() < deadlineMs) await pause.wait(parts.pollMs);
      if (!isStopped()) deadlineMs = await feed.poll();
    }
  }

  async function run(): Promise<void> {
    while (!stopped) {
      const client = parts.makeClient();
      try {
        await follow(client);
      } catch (error) {
        if (error instanceof SharedWriteError) {
          parts.onFatal(error.cause);
          stopped = true;
        } else if (!isStopped()) {
          parts.onTrouble(error);
        }
      } finally {
        await waitAtMost(client.end(), CLOSE_MS);
      }
      if (isStopped()) return;
      await pause.wait(retryMs);
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
    }
  }

  const done = run();
  return {
    firstSnapshot: first.promise,
    state: () => ({ deadlineMs }),
    stop: () => {
      stopped = true;
      pause.wake();
      return done;
    },
  };
}
