import { LRUCache } from 'lru-cache';
import { GatewayError } from '../errors/gateway-error.ts';
import type { Clock } from '../time/clock.ts';
import { toLimitedAddress } from './limited-address.ts';
import { refuseUnchecked } from './refused-key.ts';

/** Failures of each address as all workers count them, in Redis. Both tell the wait in ms, 0 for none. */
export interface FailureCounts {
  check(address: string): Promise<number>;
  fail(address: string): Promise<number>;
}

/**
 * Limits failures per client address (SPEC §4). Asked only when no cache knew the key: a key that
 * was verified passes from any address. Both throw GatewayError `too_many_failures` while the
 * address has to wait, and `auth_unavailable` when Redis cannot tell.
 */
export interface FailureLimiter {
  /** Before anything is spent on an unproved key. */
  check(clientAddress: string): Promise<void>;
  /** Counts one failure. */
  fail(clientAddress: string): Promise<void>;
}

const MAX_ADDRESSES = 10_000;

export function makeFailureLimiter(
  counts: FailureCounts,
  clock: Clock,
  maxAddresses = MAX_ADDRESSES,
): FailureLimiter {
  /** Addresses over their limit and when they may try again: a flood of theirs costs no I/O. */
  const waiting = new LRUCache<string, number>({ max: maxAddresses });

  function refuseWaiting(address: string): void {
    const leftMs = (waiting.get(address) ?? 0) - clock.monotonicMs();
    if (leftMs > 0) throw tooMany(leftMs);
  }

  async function ask(act: 'check' | 'fail', address: string): Promise<number> {
    refuseWaiting(address);
    const waitMs = await counts[act](address).catch(() => {
      throw refuseUnchecked();
    });
    if (waitMs > 0) waiting.set(address, clock.monotonicMs() + waitMs);
    return waitMs;
  }

  return {
    async check(clientAddress) {
      const waitMs = await ask('check', toLimitedAddress(clientAddress));
      if (waitMs > 0) throw tooMany(waitMs);
    },
    async fail(clientAddress) {
      // The failure that uses up the last of the limit is still answered as what it is.
      await ask('fail', toLimitedAddress(clientAddress));
    },
  };
}

function tooMany(retryAfterMs: number): GatewayError {
  return new GatewayError(
    'too_many_failures',
    'Too many requests with a wrong API key from this address.',
    { retryAfterMs: Math.ceil(retryAfterMs) },
  );
}
