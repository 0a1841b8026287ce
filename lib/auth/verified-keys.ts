import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../time/clock.ts';
import type { Principal } from './principal.ts';

/** That a key's secret was proved: for these versions of the rows, and for a while. */
interface Verification {
  readonly digest: Buffer;
  readonly keyVersion: number;
  readonly tenantVersion: number;
  readonly untilMs: number;
}

/**
 * The worker's own map of verifications, bounded. Nothing is ever dropped by notice: an entry is
 * worth something only while both rows have the versions that it was made for.
 */
export interface VerifiedKeys {
  /** For how many ms more this very key is known; 0 for one that is not. */
  readLeftMs(principal: Principal, digest: Buffer): number;
  /** Remembers for at most `forMs`, and never beyond the key's expiry. */
  add(principal: Principal, digest: Buffer, forMs: number): void;
}

const MAX_KEYS = 10_000;

export function makeVerifiedKeys(clock: Clock, maxKeys = MAX_KEYS): VerifiedKeys {
  const entries = new LRUCache<string, Verification>({ max: maxKeys });

  return {
    readLeftMs({ key, tenant }, digest) {
      const entry = entries.get(key.keyId);
      if (entry?.keyVersion !== key.version || entry.tenantVersion !== tenant.version) return 0;
      if (!timingSafeEqual(entry.digest, digest)) return 0;
      return Math.max(0, entry.untilMs - clock.monotonicMs());
    },
    add({ key, tenant }, digest, forMs) {
      const leftMs = key.expiresAtMs === null ? Infinity : key.expiresAtMs - clock.wallMs();
      entries.set(key.keyId, {
        digest,
        keyVersion: key.version,
        tenantVersion: tenant.version,
        untilMs: clock.monotonicMs() + Math.min(forMs, leftMs),
      });
    },
  };
}
