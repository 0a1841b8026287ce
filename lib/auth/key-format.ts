import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PREFIX = 'nz_';
const PUBLIC_ID_LENGTH = 12;
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const SECRET_START = PREFIX.length + PUBLIC_ID_LENGTH + 1;
const CHECKSUM_START = SECRET_START + SECRET_LENGTH;

export const KEY_LENGTH = CHECKSUM_START + CHECKSUM_LENGTH;

/**
 * A new API key: `nz_` + 12 base62 (public id) + `_` + 43 base62 (secret, 256 bits) + 6 base62
 * (CRC-32 of all before it), SPEC §4.
 */
export function makeKey(): { readonly key: string; readonly publicId: string } {
  const publicId = drawBase62(PUBLIC_ID_LENGTH);
  const body = `${PREFIX}${publicId}_${drawBase62(SECRET_LENGTH)}`;
  return { key: body + toChecksum(body), publicId };
}

/**
 * The public id of a well-formed key, or undefined. Costs no I/O: a typing error, or a string that
 * was never a key, ends here. It says nothing of the secret.
 */
export function readPublicId(key: string): string | undefined {
  if (key.length !== KEY_LENGTH || !key.startsWith(PREFIX)) return undefined;
  if (key[SECRET_START - 1] !== '_') return undefined;

  const publicId = key.slice(PREFIX.length, SECRET_START - 1);
  if (!isBase62(publicId) || !isBase62(key.slice(SECRET_START))) return undefined;

  const isWhole = toChecksum(key.slice(0, CHECKSUM_START)) === key.slice(CHECKSUM_START);
  return isWhole ? publicId : undefined;
}

function isBase62(text: string): boolean {
  return /^[0-9A-Za-z]+$/.test(text);
}

function toChecksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let place = 0; place < CHECKSUM_LENGTH; place += 1) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return digits;
}

/** Uniform characters: a byte that would favour some of them is thrown away. */
function drawBase62(length: number): string {
  const fair = 256 - (256 % ALPHABET.length);
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < fair && text.length < length) text += ALPHABET.charAt(byte % ALPHABET.length);
    }
  }
  return text;
}
