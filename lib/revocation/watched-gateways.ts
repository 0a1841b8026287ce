import { SELECT_GATEWAYS } from '../store/advisory-locks.ts';
import type { PostgresClient } from '../store/postgres.ts';
import type { Clock } from '../time/clock.ts';

/** Gateways by their sessions, as one look found them. */
export interface SeenGateways {
  readonly running: readonly number[];
  /** Were seen before; what they said last may be believed for a while yet. */
  readonly gone: readonly number[];
  /** Nobody believes them any more since the look before. */
  readonly lapsed: readonly number[];
}

export interface WatchedGateways {
  /** Rejects as the connection does. */
  look(): Promise<SeenGateways>;
}

/**
 * Remembers which gateways it has seen: workers go on believing a primary that has lost its session for
 * what is left of its lease, which is `leaseMs` at most.
 */
export function watchGateways(
  client: PostgresClient,
  clock: Clock,
  leaseMs: number,
): WatchedGateways {
  /** Session → since when it is missed, in monotonic ms; null while it is there. */
  const seen = new Map<number, number | null>();

  return {
    async look() {
      const { rows } = await client.query<{ pid: number }>(SELECT_GATEWAYS);
      const nowMs = clock.monotonicMs();
      const running = rows.map(({ pid }) => pid);
      for (const pid of running) seen.set(pid, null);
      const gone: number[] = [];
      const lapsed: number[] = [];
      for (const [pid, missedAtMs] of seen) {
        if (running.includes(pid)) continue;
        if (missedAtMs === null) seen.set(pid, nowMs);
        if (nowMs - (missedAtMs ?? nowMs) < leaseMs) {
          gone.push(pid);
        } else {
          seen.delete(pid);
          lapsed.push(pid);
        }
      }
      return { running, gone, lapsed };
    },
  };
}
