import type { Counter } from '../ledger/counter.ts';
import type { Summed } from './audit-sums.ts';

/** Something that does not add up. */
export type Problem =
  /** Audit rows and ledger differ. */
  | {
      readonly kind: 'audit_ledger';
      readonly tenantId: string;
      readonly keyId: string;
      readonly model: string;
      readonly day: string;
      readonly field: Summed;
      readonly audited: number;
      readonly ledger: number;
    }
  /** The ledger and a counter in Redis differ, with nothing on its way from one to the other. */
  | ({
      readonly kind: 'ledger_redis';
      readonly ledgerTokens: number;
      readonly spentTokens: number;
    } & Counter)
  /** A counter's held tokens are not those of the live holds. */
  | ({
      readonly kind: 'held';
      readonly liveTokens: number;
      readonly heldTokens: number;
    } & Counter)
  /** By admission id. Nothing would ever end such a hold; such a lease takes a slot for nobody. */
  | {
      readonly kind: 'hold_without_lease' | 'lease_without_hold';
      readonly id: string;
      readonly shard: number;
    }
  /** Redis started anew, and no gateway has begun to count again. */
  | { readonly kind: 'stale_life'; readonly shard: number }
  /** Events that nobody brings from Redis to Postgres: what they count could not be compared. */
  | { readonly kind: 'undrained'; readonly shard: number; readonly count: number }
  /** Events that Postgres refused: their requests may be missing from audit and ledger. */
  | { readonly kind: 'rejected_events'; readonly count: number };
