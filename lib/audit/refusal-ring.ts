import type { Entry } from '../ledger/entry.ts';
import { EntryRing } from '../ledger/entry-ring.ts';
import type { EntryRingParts } from '../ledger/entry-ring.ts';

/**
 * Refusals of this worker that Redis has not taken. Unlike settlements they may be lost: at
 * `capacity` a new one is dropped and counted, so that a flood of refusals costs no memory.
 */
export interface RefusalRing {
  push(entry: Entry): void;
  readonly length: number;
  /** Resolves with how many are left, at the latest after `withinMs`. */
  flush(withinMs: number): Promise<number>;
  close(): void;
}

export function makeRefusalRing(
  parts: EntryRingParts & { readonly onDropped: () => void },
  capacity: number,
): RefusalRing {
  const ring = new EntryRing(parts);
  return {
    push(entry) {
      if (ring.length < capacity) ring.push(entry);
      else parts.onDropped();
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
