/** What a renewal was answered, and when it was sent (monotonic ms). */
export interface LifeHeard {
  readonly sentAtMs: number;
  /** Null before the shard's first life. */
  readonly lifeId: string | null;
  /** The life is of this run of Redis. */
  readonly current: boolean;
}

interface Batch<Item> {
  /** The life that the shard was known to be in; null: none was known yet. */
  readonly lifeId: string | null;
  readonly openedAtMs: number;
  lastAtMs: number;
  readonly items: Item[];
}

/** What Redis acknowledged may still be lost with the last seconds that it wrote. */
const KEPT_MS = 10_000;
/** What was acknowledged within so long is let go together. */
const BATCH_MS = 500;

/**
 * What Redis has acknowledged and could still forget (LEDGER §3, F3): kept until a renewal that was
 * sent 10 s later is answered in the same life, by the same run of Redis.
 */
export class KeptItems<Item> {
  #batches: Batch<Item>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `lifeId`: what the shard's life was known to be when the item was sent. */
  add(item: Item, lifeId: string | null, nowMs: number): void {
    const last = this.#batches.at(-1);
    if (last?.lifeId === lifeId && nowMs - last.openedAtMs < BATCH_MS) {
      last.items.push(item);
      last.lastAtMs = nowMs;
    } else {
      this.#batches.push({ lifeId, openedAtMs: nowMs, lastAtMs: nowMs, items: [item] });
    }
    this.#size += 1;
  }

  /** Lets go what is safe; gives, and keeps no longer, what must be sent again. */
  hear({ sentAtMs, lifeId, current }: LifeHeard): Item[] {
    // Of a life that is over nothing can be concluded: the next one will be another.
    if (!current || lifeId === null) return [];
    const again: Item[] = [];
    this.#batches = this.#batches.filter((batch) => {
      const same = batch.lifeId === lifeId;
      if (same && sentAtMs - batch.lastAtMs < KEPT_MS) return true;
      if (!same) again.push(...batch.items);
      this.#size -= batch.items.length;
      return false;
    });
    return again;
  }
}
