import type { Lease } from '../admission/lease.ts';
import type { Call } from '../http/call.ts';
import type { Entry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Cancellation } from '../ledger/settle-request.ts';
import { onConnection } from '../store/redis-connection.ts';
import type { Redis } from '../store/redis.ts';
import type { Clock } from '../time/clock.ts';
import type { Tally } from '../upstream/tally.ts';
import { HeldRequests } from './held-requests.ts';
import { Renewal } from './renewal.ts';
import { SettlementRing } from './ring.ts';

export interface SettlementsParts {
  readonly ledger: Ledger;
  /** The ledger's own connection. */
  readonly redis: Pick<Redis, 'on' | 'off'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** From so many that wait for Redis on, the worker admits nobody. */
  readonly capacity: number;
  readonly renewEveryMs: number;
}

/** All that this worker holds in Redis, or still has to tell it. */
export interface Settlements {
  /** From its admission on, before it goes upstream. */
  follow(lease: Lease, call: Pick<Call, 'measure'>, tally: Tally): void;
  /** It has ended. */
  settle(entry: Entry): void;
  /** It cannot be settled: its lease is let lapse, so that it is ended and kept as lost. */
  abandon(lease: Lease): void;
  cancel(cancellation: Cancellation): void;
  /** So much waits that nobody may be admitted. */
  isDenying(): boolean;
  /** How many wait for Redis. */
  readonly length: number;
  /** How many it has taken and could still forget. */
  readonly keptCount: number;
  /** Resolves with how many wait: 0 as soon as none does, what is left after `withinMs`. */
  flush(withinMs: number): Promise<number>;
  close(): void;
}

export function openSettlements(parts: SettlementsParts): Settlements {
  const { ledger, redis, clock, capacity } = parts;
  const held = new HeldRequests();
  const ring = new SettlementRing({
    ledger,
    clock,
    capacity,
    onSettled: (shard, id) => {
      held.remove(shard, id);
    },
  });
  const renewal = new Renewal({ ledger, held, ring, clock, everyMs: parts.renewEveryMs });
  const onReady = (): void => {
    renewal.renewNow();
    ring.wake();
  };
  const endTelling = onConnection(redis, onReady);

  return {
    follow(lease, call, tally) {
      held.add(lease, call, tally);
      renewal.begin(lease.hold.shard);
    },
    settle(entry) {
      ring.settle(entry);
      renewal.begin(ledger.shardOf(entry.tenantId));
    },
    abandon({ hold }) {
      held.remove(hold.shard, hold.id);
    },
    cancel(cancellation) {
      ring.cancel(cancellation);
      renewal.begin(cancellation.shard);
    },
    isDenying: () => ring.isDenying(),
    get length() {
      return ring.length;
    },
    get keptCount() {
      return ring.keptCount;
    },
    flush: (withinMs) => ring.flush(withinMs),
    close() {
      endTelling();
      renewal.close();
      ring.close();
    },
  };
}
