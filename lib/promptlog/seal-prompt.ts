import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PURPOSE = 'nzgw prompt log 1';

/** Whose entry it is. It is sealed with the text: no row can be passed off as another one. */
export interface PromptOwner {
  /** The admission id. */
  readonly id: string;
  readonly tenantId: string;
  readonly keyId: string;
}

export interface SealedPrompt {
  /** 12 bytes, drawn for this entry. */
  readonly nonce: Buffer;
  /** Ciphertext, then the tag of 16 bytes. */
  readonly sealed: Buffer;
}

/**
 * The key of a tenant's entries: HKDF-SHA-256 (RFC 5869) of `NZGW_PROMPT_LOG_KEY` for that tenant
 * (SPEC §11), so that what one tenant's key is lost with is that tenant's alone.
 */
export function derivePromptKey(secret: string, tenantId: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `${PURPOSE} ${tenantId}`, KEY_BYTES));
}

/** AES-256-GCM with a nonce of its own. */
export function sealPrompt(key: Buffer, owner: PromptOwner, text: string): SealedPrompt {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(nameOwner(owner));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { nonce, sealed };
}

/** Null: the key is another one, or the row is not as it was written. */
export function openPrompt(
  key: Buffer,
  owner: PromptOwner,
  { nonce, sealed }: SealedPrompt,
): string | null {
  if (sealed.length < TAG_BYTES) return null;
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(nameOwner(owner))
    .setAuthTag(sealed.subarray(end));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]).toString();
  } catch {
    return null;
  }
}

function nameOwner({ id, tenantId, keyId }: PromptOwner): Buffer {
  return Buffer.from(`${id} ${tenantId} ${keyId}`);
}
