import type { RefusalCode } from '../errors/refusals.ts';

/** Tokens as the upstream's last line told them; null where it said nothing. */
export interface ReportedUsage {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
}

export type Outcome = 'ok' | 'client_gone' | 'upstream_error' | 'upstream_incomplete';

/**
 * What is known so far of one running inference. The forwarder and the relay write it as things
 * happen, settlement reads it after the close; so a request that ends badly is charged for what
 * was seen, wherever it ended.
 */
export interface Tally {
  /** The request was handed to an upstream socket: from here on the prompt may have been read. */
  written: boolean;
  /** Monotonic milliseconds of the first byte from upstream. */
  firstByteAtMs: number | null;
  /** Complete lines with content that came from upstream. */
  outputLines: number;
  /** Body bytes given to the client's socket. */
  bytesOut: number;
  reported: ReportedUsage | null;
  outcome: Outcome | null;
  /** Why it was ended by us, if it was: a drain, a revocation, no trust. It was running until then. */
  cutFor: RefusalCode | null;
}

export function startTally(): Tally {
  return {
    written: false,
    firstByteAtMs: null,
    outputLines: 0,
    bytesOut: 0,
    reported: null,
    outcome: null,
    cutFor: null,
  };
}
