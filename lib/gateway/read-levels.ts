import type { Settings } from '../config/settings.ts';
import type { Reading } from '../metrics/cells.ts';
import type { ThreadPool } from '../threads/thread-pool.ts';
import type { BreakerState } from '../upstream/breaker.ts';
import type { Forwarder } from '../upstream/forward.ts';
import type { Bookkeeping } from './make-bookkeeping.ts';
import type { Running } from './running.ts';

export interface LevelParts {
  readonly settings: Pick<Settings, 'ollamaUrls' | 'argon2Queue'>;
  readonly books: Pick<Bookkeeping, 'readLevels'>;
  readonly running: Pick<Running, 'size'>;
  readonly forwarder: Pick<Forwarder, 'upstreams'>;
  readonly argon2Threads: Pick<ThreadPool, 'queued'>;
  readonly bodyThreads: Pick<ThreadPool, 'queued'>;
}

const BREAKER_STATES: readonly BreakerState[] = ['closed', 'half_open', 'open'];

/** What stands at a level in this worker: read every second by a timer, never by a request. */
export function readLevels(parts: LevelParts): readonly Reading[] {
  const { settings, argon2Threads, bodyThreads } = parts;
  return [
    ['gateway_inflight_requests', [], [parts.running.size]],
    ['gateway_argon2_queue_length', [], [argon2Threads.queued]],
    ['gateway_argon2_queue_fill_ratio', [], [argon2Threads.queued / settings.argon2Queue]],
    ['gateway_body_queue_length', [], [bodyThreads.queued]],
    ...parts.books.readLevels(),
    ...parts.forwarder.upstreams.flatMap(({ connections, breaker }, position): Reading[] => {
      const upstream = settings.ollamaUrls[position] ?? '';
      const now = breaker.state();
      return [
        ['gateway_upstream_inflight_requests', [upstream], [connections.inFlight]],
        ...BREAKER_STATES.map((state): Reading => {
          return ['gateway_breaker_state', [upstream, state], [state === now ? 1 : 0]];
        }),
      ];
    }),
  ];
}
