import type { Entry } from '../ledger/entry.ts';
import { EntryRing } from '../ledger/entry-ring.ts';
import type { EntryRingParts } from '../ledger/entry-ring.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Cancellation } from '../ledger/settle-request.ts';
import { inTime } from '../time/in-time.ts';
import type { Clock } from '../time/clock.ts';
import { DueCancellations } from './due-cancellations.ts';
import { KeptItems } from './kept-items.ts';
import type { LifeHeard } from './kept-items.ts';

/** What Redis must be told of a request, and told again where it forgot. */
type Item =
  | { readonly kind: 'settle'; readonly entry: Entry }
  | { readonly kind: 'cancel'; readonly cancellation: Cancellation };

/** Of one shard: each may be on a Redis of its own, which is away on its own. */
interface ShardRing {
  readonly sending: EntryRing<Item>;
  readonly kept: KeptItems<Item>;
  waiting: number;
  lifeId: string | null;
}

export interface SettlementRingParts extends Pick<EntryRingParts, 'firstPauseMs' | 'lastPauseMs'> {
  readonly ledger: Pick<Ledger, 'settle' | 'cancel' | 'shardOf' | 'estimateTimeMs'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** From so many that wait for Redis on, the worker admits nobody. */
  readonly capacity: number;
  /** Redis has acknowledged the settlement of a request. */
  readonly onSettled: (shard: number, admissionId: string) => void;
}

/** What is only kept costs memory, but nothing is wrong: it may be so many times more. */
const KEPT_FACTOR = 10;

/**
 * Settlements and cancellations of this worker (LEDGER §3): sent at once, again until Redis
 * acknowledges them, and kept while Redis could still forget them. None is ever dropped: the worker
 * stops admitting instead, from full until half empty.
 */
export class SettlementRing {
  readonly #parts: SettlementRingParts;
  readonly #due: DueCancellations;
  readonly #shards = new Map<number, ShardRing>();
  #waiting = 0;
  #kept = 0;
  #denying = false;
  #closed = false;
  #empty = Promise.withResolvers<undefined>();

  constructor(parts: SettlementRingParts) {
    this.#parts = parts;
    this.#due = new DueCancellations({
      ledger: parts.ledger,
      clock: parts.clock,
      onDue: (cancellation) => {
        this.#open(cancellation.shard).sending.push({ kind: 'cancel', cancellation });
      },
    });
  }

  /** How many Redis has not acknowledged. */
  get length(): number {
    return this.#waiting;
  }

  /** How many it has, and could still forget. */
  get keptCount(): number {
    return this.#kept;
  }

  settle(entry: Entry): void {
    const ring = this.#open(this.#parts.ledger.shardOf(entry.tenantId));
    this.#await(ring);
    ring.sending.push({ kind: 'settle', entry });
  }

  /** It is sent once its deadline has passed. */
  cancel(cancellation: Cancellation): void {
    this.#await(this.#open(cancellation.shard));
    this.#due.add(cancellation);
  }

  isDenying(): boolean {
    const full = Math.max(this.#waiting, this.#kept / KEPT_FACTOR) / this.#parts.capacity;
    this.#denying = full >= 1 || (this.#denying && full > 0.5);
    return this.#denying;
  }

  /** Anything of that shard waits or is kept. */
  hasAny(shard: number): boolean {
    const ring = this.#shards.get(shard);
    return ring !== undefined && ring.waiting + ring.kept.size > 0;
  }

  /** Takes what a renewal of that shard was answered: in another life all that is kept is sent again. */
  hear(shard: number, heard: LifeHeard): void {
    const ring = this.#open(shard);
    if (heard.current && heard.lifeId !== null) ring.lifeId = heard.lifeId;
    const before = ring.kept.size;
    const again = ring.kept.hear(heard);
    this.#kept -= before - ring.kept.size;
    for (const item of again) {
      this.#await(ring);
      ring.sending.push(item);
    }
  }

  /** Redis is back. */
  wake(): void {
    for (const { sending } of this.#shards.values()) sending.wake();
  }

  /** Resolves with how many wait: 0 as soon as none does, what is left after `withinMs`. */
  async flush(withinMs: number): Promise<number> {
    const { clock } = this.#parts;
    const endsAtMs = clock.monotonicMs() + withinMs;
    // Empty for a moment is not enough: another life may just have put everything back.
    for (let late = false; this.#waiting > 0 && !this.#closed && !late;) {
      const empty = this.#empty.promise.then(() => false);
      late = await inTime(endsAtMs - clock.monotonicMs(), empty, () => true);
    }
    return this.#waiting;
  }

  /** Stops sending. What is left is lost with the process. */
  close(): void {
    this.#closed = true;
    this.#due.close();
    for (const { sending } of this.#shards.values()) sending.close();
    this.#empty.resolve(undefined);
  }

  #open(shard: number): ShardRing {
    const known = this.#shards.get(shard);
    if (known !== undefined) return known;
    const { firstPauseMs = 50, lastPauseMs = 500 } = this.#parts;
    const send = (item: Item): Promise<void> => this.#send(ring, item);
    const ring: ShardRing = {
      sending: new EntryRing({ send, firstPauseMs, lastPauseMs }),
      kept: new KeptItems(),
      waiting: 0,
      lifeId: null,
    };
    this.#shards.set(shard, ring);
    return ring;
  }

  #await(ring: ShardRing): void {
    ring.waiting += 1;
    this.#waiting += 1;
  }

  async #send(ring: ShardRing, item: Item): Promise<void> {
    const { ledger, onSettled } = this.#parts;
    // Redis may be in another life by the time of its answer; never in an earlier one.
    const { lifeId } = ring;
    if (item.kind === 'settle') {
      await ledger.settle(item.entry);
      onSettled(ledger.shardOf(item.entry.tenantId), item.entry.id);
    } else if (!(await ledger.cancel(item.cancellation))) {
      this.#due.addAgain(item.cancellation);
      return;
    }
    ring.kept.add(item, lifeId, this.#parts.clock.monotonicMs());
    this.#kept += 1;
    ring.waiting -= 1;
    this.#waiting -= 1;
    if (this.#waiting > 0) return;
    this.#empty.resolve(undefined);
    this.#empty = Promise.withResolvers();
  }
}
