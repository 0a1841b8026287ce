import type { Redis } from '../store/redis.ts';
import { KEYS } from './keys.ts';

/**
 * Proofs of verification shared by all workers, by key id. The value is the caller's, who must be
 * able to tell its own from another's: whoever can write to Redis can write here.
 */
export interface VerifiedEntries {
  get(keyId: string): Promise<string | null>;
  set(keyId: string, value: string, ttlMs: number): Promise<void>;
  delete(keyId: string): Promise<void>;
}

export function openVerifiedEntries(redis: Redis): VerifiedEntries {
  return {
    get: (keyId) => redis.get(KEYS.verifiedEntry(keyId)),
    async set(keyId, value, ttlMs) {
      await redis.set(KEYS.verifiedEntry(keyId), value, 'PX', Math.max(1, Math.ceil(ttlMs)));
    },
    async delete(keyId) {
      await redis.del(KEYS.verifiedEntry(keyId));
    },
  };
}
