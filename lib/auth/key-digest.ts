import { createHmac, hkdfSync } from 'node:crypto';

const SECRET_BYTES = 32;

/** Secrets made from the pepper, each for one use; none of them gives away another or the pepper. */
export interface DerivedSecrets {
  readonly digest: Buffer;
  readonly mac: Buffer;
}

export function deriveSecrets(pepper: string): DerivedSecrets {
  const derive = (use: string) =>
    Buffer.from(hkdfSync('sha256', pepper, '', `neuronetz-gateway ${use}`, SECRET_BYTES));
  return { digest: derive('verified-key digest'), mac: derive('stored-verification mac') };
}

/** HMAC-SHA-256 of the whole presented key: what caches hold instead of it. */
export function digestKey(secrets: DerivedSecrets, key: string): Buffer {
  return createHmac('sha256', secrets.digest).update(key).digest();
}
