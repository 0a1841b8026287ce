import type { KeyRow } from '../shared/records.ts';
import type { Argon2Pool } from './argon2-pool.ts';
import type { AuthEvent } from './proof.ts';
import { isWeakerThan } from './hash-key.ts';
import type { HashCost } from './hash-key.ts';
import { makeSecretTag } from './secret-tag.ts';

/** What is stored anew; the rest stays. */
export interface RenewedSecret {
  readonly hash?: string;
  readonly secretTag?: Buffer;
}

/** Which pepper the row's tag was made with; it has none if the key was made without a pepper. */
export type StoredTag = 'current' | 'previous' | 'missing';

/** Writes to the key's row if that still has this version; does nothing otherwise. */
export type RenewKey = (keyId: string, version: number, renewed: RenewedSecret) => Promise<void>;

export interface RenewalParts {
  readonly argon2: Argon2Pool;
  readonly renew: RenewKey;
  readonly cost: HashCost;
  readonly pepper: string;
  readonly report: (event: AuthEvent) => void;
}

/**
 * Keeps what is stored of a key as strong as the settings ask: a hash of weaker parameters, a tag
 * of the previous pepper or none at all are made anew from a key that was just proved. The request
 * does not wait for it; whatever goes wrong is tried again at the next verification.
 */
export type Renewal = (row: KeyRow, key: string, tag: StoredTag) => void;

export function makeRenewal(parts: RenewalParts): Renewal {
  const running = new Set<string>();

  async function renew(row: KeyRow, key: string, tag: StoredTag): Promise<void> {
    const renewed: RenewedSecret = {
      ...(isWeakerThan(row.hash, parts.cost) && { hash: await parts.argon2.hash(key, parts.cost) }),
      ...(tag !== 'current' && { secretTag: makeSecretTag(parts.pepper, key) }),
    };
    if (Object.keys(renewed).length === 0) return;
    await parts.renew(row.keyId, row.version, renewed);
    parts.report('renewed');
  }

  return (row, key, tag) => {
    if (running.has(row.keyId)) return;
    running.add(row.keyId);
    void renew(row, key, tag)
      .catch(() => {
        parts.report('renewal_failed');
      })
      .finally(() => running.delete(row.keyId));
  };
}
