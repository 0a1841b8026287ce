/** Which part of a counter: what was charged, or what running requests hold. */
export type CounterPart = 'spent' | 'held';

/** Why a hold was ended without a settlement. */
export type ReapCause = 'lapsed' | 'exited';

/** What the work on the shards is counted by, for the metrics. */
export interface ShardCounts {
  /** Events that left a shard's stream for Postgres, rejected ones included. */
  drained(events: number): void;
  /** Events that Postgres will never take as a row. */
  rejected(events: number): void;
  reaped(cause: ReapCause, holds: number): void;
  /** A counter in Redis was not what ledger, stream and live holds add up to. */
  drifted(part: CounterPart, direction: 'high' | 'low'): void;
}
