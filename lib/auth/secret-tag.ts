import { createHmac, timingSafeEqual } from 'node:crypto';

const TAG_BYTES = 16;

/** The peppers that tags may have been made with, SPEC §4. */
export interface Peppers {
  readonly current: string;
  /** Accepted while a pepper is being replaced. */
  readonly previous: string | null;
}

export type TagMatch = 'current' | 'previous' | 'none';

/** First 16 bytes of HMAC-SHA-256 of the whole key: worthless to who has the database alone. */
export function makeSecretTag(pepper: string, key: string): Buffer {
  return createHmac('sha256', pepper).update(key).digest().subarray(0, TAG_BYTES);
}

/** Which pepper the stored tag (hex) was made with, if the key is the right one. Constant time. */
export function matchSecretTag(peppers: Peppers, key: string, tagHex: string): TagMatch {
  const stored = Buffer.from(tagHex, 'hex');
  if (stored.length !== TAG_BYTES) return 'none';
  if (timingSafeEqual(stored, makeSecretTag(peppers.current, key))) return 'current';
  if (peppers.previous === null) return 'none';
  return timingSafeEqual(stored, makeSecretTag(peppers.previous, key)) ? 'previous' : 'none';
}
