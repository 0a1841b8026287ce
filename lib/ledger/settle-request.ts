import { scopesOf } from './admit-request.ts';
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
  const [key, tenant] = scopesOf(entry);
  return [
    KEYS.life(shard),
    KEYS.events(shard),
    KEYS.lapse(shard),
    KEYS.hold(shard, entry.id),
    KEYS.leases(shard, key),
    KEYS.leases(shard, tenant),
    KEYS.tokens(shard, key),
    KEYS.tokens(shard, tenant),
    KEYS.budget(shard, key),
    KEYS.budget(shard, tenant),
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
  const [key, tenant] = scopesOf(cancellation);
  return [
    KEYS.life(shard),
    KEYS.events(shard),
    KEYS.lapse(shard),
    KEYS.hold(shard, id),
    KEYS.leases(shard, key),
    KEYS.leases(shard, tenant),
    KEYS.requests(shard, key),
    KEYS.requests(shard, tenant),
    KEYS.tokens(shard, key),
    KEYS.tokens(shard, tenant),
    KEYS.budget(shard, key),
    KEYS.budget(shard, tenant),
    id,
    deadlineMs,
  ];
}
