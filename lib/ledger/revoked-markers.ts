import type { Redis } from '../store/redis.ts';
import { KEYS, shardOf } from './keys.ts';

/**
 * Marks that admission itself looks at: even a worker whose copy of the directory is old admits
 * nothing for a marked key. They live beyond every cache. Calls reject as the connection does.
 */
export interface RevokedMarkers {
  markKey(tenantId: string, keyId: string, ttlMs: number): Promise<void>;
  markTenant(tenantId: string, ttlMs: number): Promise<void>;
  /** A tenant may be resumed; a revoked key stays revoked. */
  clearTenant(tenantId: string): Promise<void>;
}

export function openRevokedMarkers(redis: Redis, shards: number): RevokedMarkers {
  const mark = async (name: string, ttlMs: number): Promise<void> => {
    await redis.set(name, '1', 'PX', Math.ceil(ttlMs));
  };
  return {
    markKey: (tenantId, keyId, ttlMs) =>
      mark(KEYS.revokedKey(shardOf(tenantId, shards), keyId), ttlMs),
    markTenant: (tenantId, ttlMs) =>
      mark(KEYS.revokedTenant(shardOf(tenantId, shards), tenantId), ttlMs),
    async clearTenant(tenantId) {
      await redis.del(KEYS.revokedTenant(shardOf(tenantId, shards), tenantId));
    },
  };
}
