import { createHmac, timingSafeEqual } from 'node:crypto';
import type { DerivedSecrets } from './key-digest.ts';
import type { Principal } from './principal.ts';

const FORMAT = /^1\.([0-9a-f]{64})\.(\d{1,15})\.(\d{1,15})\.(\d{1,15})\.([0-9a-f]{64})$/;

/** Hosts disagree about the time by a little; an entry from farther ahead is not believed. */
const MAX_SKEW_MS = 5_000;

/**
 * Where workers share verifications, by key id: Redis. Whoever can write there can write anything;
 * that is why an entry carries a MAC. Calls reject as the connection does.
 */
export interface VerifiedStore {
  get(keyId: string): Promise<string | null>;
  set(keyId: string, value: string, ttlMs: number): Promise<void>;
}

/** An entry for the versions of these rows: digest, versions, time (ms since 1970), MAC. */
export function writeVerification(
  secrets: DerivedSecrets,
  { key, tenant }: Principal,
  digest: Buffer,
  timeMs: number,
): string {
  const versions = `${key.version}.${tenant.version}`;
  const text = `1.${digest.toString('hex')}.${versions}.${Math.floor(timeMs)}`;
  return `${text}.${makeMac(secrets, key.keyId, text).toString('hex')}`;
}

/**
 * The age in milliseconds of an entry that this gateway wrote for this very key and the versions of
 * these rows; undefined for any other.
 */
export function readVerification(
  secrets: DerivedSecrets,
  { key, tenant }: Principal,
  digest: Buffer,
  stored: { readonly text: string; readonly nowMs: number },
): number | undefined {
  const [, digestHex = '', keyVersion, tenantVersion, timeMs, macHex = ''] =
    FORMAT.exec(stored.text) ?? [];
  const signed = stored.text.slice(0, -macHex.length - 1);
  const mac = Buffer.from(macHex, 'hex');
  const expected = makeMac(secrets, key.keyId, signed);
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return undefined;

  if (!timingSafeEqual(Buffer.from(digestHex, 'hex'), digest)) return undefined;
  if (Number(keyVersion) !== key.version || Number(tenantVersion) !== tenant.version) {
    return undefined;
  }
  const ageMs = stored.nowMs - Number(timeMs);
  return ageMs < -MAX_SKEW_MS ? undefined : Math.max(0, ageMs);
}

/** Over the key's id too, so that one key's entry is worth nothing under another's name. */
function makeMac(secrets: DerivedSecrets, keyId: string, text: string): Buffer {
  return createHmac('sha256', secrets.mac).update(`${keyId}.${text}`).digest();
}
