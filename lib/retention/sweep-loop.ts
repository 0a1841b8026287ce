import type { PostgresClient } from '../store/postgres.ts';
import { withClient } from '../store/with-client.ts';
import type { Clock } from '../time/clock.ts';
import { makePause } from '../time/pause.ts';
import { deleteExpiredPrompts } from './delete-expired-prompts.ts';
import { toUtcDay } from './read-audit-days.ts';
import { sweep } from './sweep.ts';
import type { Swept } from './sweep.ts';
import { noteSwept, openSweepSession, readLastSweep, tryLockSweep } from './sweep-session.ts';

export interface SweeperParts {
  /** A new client, not connected yet. */
  readonly makeClient: () => PostgresClient;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Milliseconds since 1970 by the earliest of the clocks that must not be ahead. */
  readonly readWallMs: () => Promise<number>;
  /** Between two looks at whether there is something to do. */
  readonly everyMs: number;
  /** The same, while nothing may be swept. */
  readonly soonMs: number;
  /** What waits in Redis reaches Postgres: an entry must not find its day swept. */
  readonly maySweep: () => boolean;
  /** Something was swept, to the end or for as long as a round may take. */
  readonly onSwept: (swept: Swept, ms: number) => void;
  /** A round failed, or a part of it; the next one is at its time. */
  readonly onTrouble: (error: unknown) => void;
}

export interface Sweeper {
  /** Monotonic milliseconds of the end of the last whole sweep, by any host; null: none is known of. */
  readonly sweptAtMs: number | null;
  /** Ends after the statement under way. */
  stop(): Promise<void>;
}

/** Then prompts have their turn again, and another host may go on. */
const ROUND_MS = 60_000;
const PROMPT_BATCHES = 20;

/**
 * Deletes expired prompts in every round, and sweeps once a UTC day: whichever gateway gets the lock
 * and finds that the day's sweep was not done yet. The first round is at once, so that a sweep which
 * was missed is made up for. Each round has a connection of its own, and with its end the lock goes.
 */
export function startSweeper(parts: SweeperParts): Sweeper {
  const { clock } = parts;
  const pause = makePause();
  let stopped = false;
  const isStopped = (): boolean => stopped;
  let sweptAtMs: number | null = null;

  async function isDue(client: PostgresClient, wallDay: string): Promise<boolean> {
    const last = await readLastSweep(client, wallDay);
    sweptAtMs = last ? clock.monotonicMs() - last.ageMs : null;
    return last?.due ?? true;
  }

  /** How long to rest before the next. */
  async function doRound(client: PostgresClient): Promise<number> {
    await openSweepSession(client);
    // Their trouble is theirs; what becomes of the connection, the next query tells.
    await deletePrompts(client, isStopped).catch(parts.onTrouble);
    const wallDay = toUtcDay(await parts.readWallMs());
    if (isStopped() || !(await isDue(client, wallDay))) return parts.everyMs;
    if (!parts.maySweep()) return parts.soonMs;
    // Whoever had the lock before may have done it meanwhile.
    if (!(await tryLockSweep(client)) || !(await isDue(client, wallDay))) return parts.everyMs;

    const startMs = clock.monotonicMs();
    const isInTime = (): boolean => clock.monotonicMs() - startMs < ROUND_MS;
    const mayGoOn = (): boolean => !stopped && parts.maySweep() && isInTime();
    const swept = await sweep(client, { wallDay, mayGoOn });
    if (swept.finished) {
      await noteSwept(client, swept.today);
      sweptAtMs = clock.monotonicMs();
    }
    parts.onSwept(swept, clock.monotonicMs() - startMs);
    if (swept.trouble !== undefined) parts.onTrouble(swept.trouble);
    return isInTime() ? parts.everyMs : 0;
  }

  async function run(): Promise<void> {
    while (!stopped) {
      const restMs = await withClient(parts.makeClient, doRound).catch((error: unknown) => {
        parts.onTrouble(error);
        return parts.everyMs;
      });
      if (!isStopped()) await pause.wait(restMs);
    }
  }

  const done = run();
  return {
    get sweptAtMs() {
      return sweptAtMs;
    },
    stop: () => {
      stopped = true;
      pause.wake();
      return done;
    },
  };
}

async function deletePrompts(client: PostgresClient, isStopped: () => boolean): Promise<void> {
  for (let batch = 0; batch < PROMPT_BATCHES && !isStopped(); batch += 1) {
    if ((await deleteExpiredPrompts(client)) === 0) return;
  }
}
