import type { PostgresClient } from '../store/postgres.ts';
import { withClient } from '../store/with-client.ts';
import { makePause } from '../time/pause.ts';

export interface PruningParts {
  /** A new client, not connected yet. */
  readonly makeClient: () => PostgresClient;
  readonly everyMs: number;
  /** Deletes some of what is to go; 0: there is no more. */
  readonly prune: (client: PostgresClient) => Promise<number>;
  /** A round failed; the next one is at its time. */
  readonly onTrouble: (error: unknown) => void;
}

export interface Pruning {
  /** Ends after the query under way. */
  stop(): Promise<void>;
}

const MAX_BATCHES = 20;

/**
 * Keeps a table from growing for ever, some rows at a time. The first round is at once, and each is on a
 * connection of its own, so that it delays no poll.
 */
export function startPruning(parts: PruningParts): Pruning {
  const pause = makePause();
  let stopped = false;
  const isStopped = () => stopped;

  async function prune(client: PostgresClient): Promise<void> {
    for (let batch = 0; batch < MAX_BATCHES && !stopped; batch += 1) {
      if ((await parts.prune(client)) === 0) return;
    }
  }

  async function run(): Promise<void> {
    while (!stopped) {
      await withClient(parts.makeClient, prune).catch(parts.onTrouble);
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
