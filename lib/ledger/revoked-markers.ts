import type { Redis } from '../store/redis.ts';
import { KEYS, shardOf } from './keys.ts';

/**
 * Marks that admission itself looks at: even a worker whose copy of the directory is old admits
 * nothing for a marked key. They live beyond every cache. Calls reject as the connection does.
 */
export interface RevokedMarkers {
  markKey(tenantId: string, keyId: string, ttlMs: number): Promise<void>;
}

export function openRevokedMarkers(redis: Redis, shards: number): RevokedMarkers {
  return {
    async markKey(tenantId, keyId, ttlMs) {
      const name = KEYS.revokedKey(shardOf(tenantId, shards), keyId);
      await redis.set(name, '1', 'PX', Math.ceil(ttlMs));
    },
  };
}
