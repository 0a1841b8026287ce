import type { Script } from '../ledger/scripts.ts';
import type { Logger } from '../log/logger.ts';
import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import type { ShardCounts } from './counts.ts';

/** What is known of this host's gateway, and what others can see of it. */
export interface GatewayPresence {
  /** Postgres's process on which this gateway holds the lock of gateways; null while it has none. */
  readSession(): number | null;
  /** A worker of this gateway may have admitted something. */
  hasAdmitted(): boolean;
}

export interface ShardsParts {
  readonly databaseUrl: string;
  readonly redis: Redis;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counts: ShardCounts;
  readonly gateway: GatewayPresence;
  /** How long Redis must have answered in a new life before anything is admitted. */
  readonly readyAfterMs: number;
  /** How often counters are compared with the ledger. */
  readonly compareMs: number;
  readonly scripts?: readonly Script[];
}
