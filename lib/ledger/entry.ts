import type { Dialect } from '../errors/error-body.ts';
import type { RefusalCode } from '../errors/refusals.ts';

type EntryOutcome =
  'ok' | 'client_gone' | 'upstream_error' | 'upstream_incomplete' | 'revoked' | 'lost' | 'refused';

/**
 * One request as the audit log keeps it (SPEC §7): what waits in a shard's stream and becomes one
 * row. `id` is the admission id; with `admittedAtMs` it never changes, so that a repeated entry is
 * known as such.
 */
export interface Entry {
  readonly id: string;
  readonly admittedAtMs: number;
  readonly tenantId: string;
  readonly keyId: string;
  /** Already cut to what NZGW_AUDIT_ADDRESS allows; an address, a prefix in CIDR form, or null. */
  readonly clientAddress: string | null;
  readonly clientRequestId: string | null;
  readonly dialect: Dialect;
  /** The route's name (chat, generate, tags, blocked, …), never the client's target. */
  readonly endpoint: string;
  readonly model: string | null;
  readonly status: number;
  readonly outcome: EntryOutcome;
  readonly refusalCode: RefusalCode | null;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly chargedTokens: number;
  readonly countSource: 'reported' | 'estimated' | 'none';
  readonly firstTokenMs: number | null;
  readonly durationMs: number;
  readonly bytesOut: number;
  readonly streamed: boolean;
}
