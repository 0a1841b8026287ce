import { listUseKeys } from './admit-request.ts';
import { checkCount } from './check-count.ts';
import { encodeEntry } from './entry-codec.ts';
import type { Entry } from './entry.ts';
import { KEYS } from './keys.ts';

type Arguments = readonly (string | number)[];

/** An admission that is to be taken back, once Redis cannot carry it out any more. */
export interface Cancellation {
  readonly id: string;
  readonly shard: number;
  readonly keyId: string;
  readonly tenantId: string;
  /** Redis's time, ms: the admission's own deadline. */
  readonly deadlineMs: number;
}

/** Keys and arguments of lua/settle-10.lua. @throws RangeError for a charge that is no count */
export function toSettleArguments(entry: Entry, shard: number): Arguments {
  return [
    KEYS.life(shard),
    KEYS.events(shard),
    KEYS.lapse(shard),
    KEYS.hold(shard, entry.id),
    // A request that was made stays one: its window of requests is not touched.
    ...listUseKeys(entry, shard).slice(2),
    entry.id,
    entry.keyId,
    entry.tenantId,
    entry.admittedAtMs,
    checkCount('charge', entry.chargedTokens),
    encodeEntry(entry),
  ];
}

/** Keys and arguments of lua/cancel-12.lua. */
export function toCancelArguments(cancellation: Cancellation): Arguments {
  const { id, shard, deadlineMs } = cancellation;
  return [
    KEYS.life(shard),
    KEYS.events(shard),
    KEYS.lapse(shard),
    KEYS.hold(shard, id),
    ...listUseKeys(cancellation, shard),
    id,
    deadlineMs,
  ];
}
