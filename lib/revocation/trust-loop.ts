import type { PostgresClient } from '../store/postgres.ts';
import { beCounted } from './be-counted.ts';
import { makeDirectoryFeed, SharedWriteError } from './directory-feed.ts';
import type { FeedParts } from './directory-feed.ts';
import { withFirstConnection } from './first-connection.ts';
import type { MakeClient } from './first-connection.ts';
import { makePatience } from './patience.ts';
import { makePause } from '../time/pause.ts';
import { makeRevokedMarks } from './revoked-marks.ts';
import type { MarkRevoked } from './revoked-marks.ts';

export interface TrustLoopParts extends Omit<FeedParts, 'marks' | 'patience'> {
  /** Marks a key where admission looks; tried again at each poll until it succeeds. */
  readonly markRevoked: MarkRevoked;
  readonly makeClient: MakeClient;
  readonly pollMs: number;
  /** The whole directory was read: for the first time, or after a trouble. */
  readonly onTrusted: () => void;
  /** Postgres was lost or refused; the loop goes on trying. */
  readonly onTrouble: (error: unknown) => void;
  /** Shared memory cannot be written; the loop has ended, and so must the process. */
  readonly onFatal: (error: unknown) => void;
}

export interface TrustState {
  /** Monotonic ms until which the directory is believed; -Infinity before it was read once. */
  readonly deadlineMs: number;
  /** Postgres's process in which this gateway holds the lock of gateways; null while it has none. */
  readonly session: number | null;
}

export interface TrustLoop {
  /** Resolves when the directory was read once. Never rejects; pending while Postgres is away. */
  readonly firstSnapshot: Promise<void>;
  state(): TrustState;
  /** There may be something to read: looks now, and not only at its time. */
  wake(): void;
  /** Ends after the query under way. */
  stop(): Promise<void>;
}

const UNTRUSTED: TrustState = { deadlineMs: -Infinity, session: null };
const LEAST_PAUSE_MS = 20;
const FIRST_RETRY_MS = 50;
/** What was revoked is known a second after Postgres is back; connecting and reading take their part. */
const MAX_RETRY_MS = 250;
/** For the first answers: a server that is there gives them at once. */
const ANSWER_MS = 850;
/** A whole load is many answers, and a busy server takes its time for each. */
const MAX_ANSWER_MS = 5_000;

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
  const rest = makePause();
  const marks = makeRevokedMarks(parts.markRevoked);
  const patience = makePatience(ANSWER_MS, MAX_ANSWER_MS);
  const first = Promise.withResolvers<undefined>();
  const state: { -readonly [P in keyof TrustState]: TrustState[P] } = { ...UNTRUSTED };
  let retryMs = FIRST_RETRY_MS;
  let stopped = false;
  const isStopped = () => stopped;

  async function follow(client: PostgresClient): Promise<void> {
    state.session = await beCounted(client, ANSWER_MS);
    const feed = makeDirectoryFeed({ ...parts, marks, patience }, client);
    state.deadlineMs = await feed.load();
    retryMs = FIRST_RETRY_MS;
    first.resolve(undefined);
    parts.onTrusted();
    while (!stopped) {
      await feed.confirm();
      // However many notices there are, Postgres is not asked all the time.
      await rest.wait(LEAST_PAUSE_MS);
      // After a slow load the lease is over already: read again at once.
      if (parts.clock.monotonicMs() < state.deadlineMs) await pause.wait(parts.pollMs);
      if (isStopped()) return;
      state.deadlineMs = await feed.poll();
    }
  }

  async function run(): Promise<void> {
    while (!stopped) {
      const startedAtMs = parts.clock.monotonicMs();
      try {
        await withFirstConnection(parts.makeClient, follow);
      } catch (error) {
        if (error instanceof SharedWriteError) {
          parts.onFatal(error.cause);
          stopped = true;
        } else if (!isStopped()) parts.onTrouble(error);
      }
      state.session = null;
      if (isStopped()) return;
      // A notice does not make a server come back sooner; nor does a wait after one that was in vain.
      const spentMs = parts.clock.monotonicMs() - startedAtMs;
      await rest.wait(Math.max(FIRST_RETRY_MS, retryMs - spentMs));
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
    }
  }

  const done = run();
  return {
    firstSnapshot: first.promise,
    state: () => ({ ...state }),
    wake: () => {
      pause.wake();
    },
    stop: () => {
      stopped = true;
      for (const wait of [pause, rest]) wait.wake();
      return done;
    },
  };
}
