import type { PostgresClient } from '../store/postgres.ts';
import { waitAtMost } from './bounded.ts';
import { makePause } from '../time/pause.ts';

export interface PruningParts {
  /** A new client, not connected yet. */
  readonly makeClient: () => PostgresClient;
  readonly everyMs: number;
  /** A round failed; the next one is at its time. */
  readonly onTrouble: (error: unknown) => void;
}

export interface Pruning {
  /** Ends after the query under way. */
  stop(): Promise<void>;
}

const PRUNE = 'select gateway.prune_changes() as pruned';
const MAX_BATCHES = 20;
const CLOSE_MS = 500;

/**
 * Keeps the log of changes from growing for ever: what every gateway has read long since goes away.
 * The first round is at once, and each is on a connection of its own, so that it delays no poll.
 */
export function startPruning(parts: PruningParts): Pruning {
  const pause = makePause();
  let stopped = false;
  const isStopped = () => stopped;

  async function prune(): Promise<void> {
    const client = parts.makeClient();
    try {
      await client.connect();
      for (let batch = 0; batch < MAX_BATCHES && !stopped; batch += 1) {
        const { rows } = await client.query<{ pruned: number }>(PRUNE);
        if (!rows[0]?.pruned) return;
      }
    } finally {
      await waitAtMost(client.end(), CLOSE_MS);
    }
  }

  async function run(): Promise<void> {
    while (!stopped) {
      await prune().catch(parts.onTrouble);
      if (!isStopped()) await pause.wait(parts.everyMs);
    }
  }

  const done = run();
  return {
    stop: () => {
      stopped = true;
      pause.wake();
      return done;
    },
  };
}
