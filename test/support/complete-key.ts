import { crc32 } from 'node:zlib';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const PREFIX_LENGTH = 'nz_'.length + 12 + '_'.length;

/** A well-formed key with this public id and the secret of another one: what an attacker can make. */
export function completeKey(publicId: string, secretOf: string): string {
  const secret = secretOf.slice(PREFIX_LENGTH, PREFIX_LENGTH + SECRET_LENGTH);
  const body = `nz_${publicId}_${secret}`;
  let left = crc32(body);
  let checksum = '';
  for (let n = 0; n < CHECKSUM_LENGTH; n += 1) {
    checksum = `${BASE62.charAt(left % 62)}${checksum}`;
    left = Math.floor(left / 62);
  }
  return body + checksum;
}
