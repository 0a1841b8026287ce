import type { Entry } from '../ledger/entry.ts';
import { EntryRing } from '../ledger/entry-ring.ts';
import type { EntryRingParts } from '../ledger/entry-ring.ts';

/**
 * Settlements of this worker that Redis has not taken. None is ever dropped: at `capacity` the
 * worker stops admitting until half of them are gone, and only what already runs still adds to it.
 */
export interface SettlementRing {
  push(entry: Entry): void;
  /** True from full until half empty. */
  isDenying(): boolean;
  readonly length: number;
  /** Resolves with how many are left, at the latest after `withinMs`. */
  flush(withinMs: number): Promise<number>;
  close(): void;
}

export function makeSettlementRing(parts: EntryRingParts, capacity: number): SettlementRing {
  const ring = new EntryRing(parts);
  let denying = false;
  return {
    push(entry) {
      ring.push(entry);
      denying ||= ring.length >= capacity;
    },
    isDenying() {
      denying &&= ring.length > capacity / 2;
      return denying;
    },
    get length() {
      return ring.length;
    },
    flush: (withinMs) => ring.flush(withinMs),
    close() {
      ring.close();
    },
  };
}
