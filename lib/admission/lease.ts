import type { Hold } from '../ledger/hold.ts';

/** An admitted request: Redis said yes, and holds all that it could use. */
export interface Lease {
  readonly hold: Hold;
  readonly admissionId: string;
  /** Redis's clock, milliseconds since 1970: the time that every later row of this request carries. */
  readonly admittedAtMs: number;
  /** What is sent as `options.num_predict`; null for embeddings, which generate nothing. */
  readonly numPredict: number | null;
  /** The prompt's part of the hold. */
  readonly promptBoundTokens: number;
  /** What was left of limits, for the reply's head: names and values in turn. */
  readonly headers: readonly string[];
}
