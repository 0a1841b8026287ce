import type { Entry } from './entry.ts';

/** What the audit row of a request needs even if its worker is never heard of again. */
export type HoldFacts = Pick<
  Entry,
  'clientAddress' | 'clientRequestId' | 'dialect' | 'endpoint' | 'streamed'
> & { readonly model: string };

/**
 * Tokens reserved for a running request, in Redis until it is settled; with this much its worker can
 * make it anew where Redis has lost it.
 */
export interface Hold {
  /** The admission id. */
  readonly id: string;
  readonly shard: number;
  readonly keyId: string;
  readonly tenantId: string;
  /** Redis's clock, ms since 1970. */
  readonly admittedAtMs: number;
  /** Bound of the prompt and granted output: an upper bound of what it can use. */
  readonly heldTokens: number;
  /** What counts in the minute's window of tokens. */
  readonly countedTokens: number;
  /** JSON of HoldFacts. */
  readonly facts: string;
}

/** How far a running request has come. Never less than what was told before. */
export interface Progress {
  readonly promptTokens: number;
  readonly completionTokens: number;
}
