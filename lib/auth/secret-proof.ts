import type { Clock } from '../time/clock.ts';
import type { Argon2Pool } from './argon2-pool.ts';
import type { FailureLimiter } from './failure-limiter.ts';
import { digestKey } from './key-digest.ts';
import type { DerivedSecrets } from './key-digest.ts';
import type { Principal } from './principal.ts';
import { refuseUnchecked } from './refused-key.ts';
import { readVerification, writeVerification } from './stored-verification.ts';
import type { VerifiedStore } from './stored-verification.ts';
import type { VerifiedKeys } from './verified-keys.ts';

/** What is worth counting about authentication. */
export type AuthEvent =
  /** How a key's secret was proved: by the worker's map, by the Redis entry, by Argon2. */
  | 'proved_by_map'
  | 'proved_by_store'
  | 'proved_by_argon2'
  /** A proof could not be shared; the next worker makes its own. */
  | 'store_failed'
  /** A hash or tag was made anew, or could not be; the next verification tries again. */
  | 'renewed'
  | 'renewal_failed';

/** A presented key, before anything is proved of it. */
export interface Candidate {
  readonly key: string;
  readonly digest: Buffer;
  readonly address: string;
}

/** That the presented key is the one of this hash, and how long that has been known. */
export interface Proof {
  readonly by: 'store' | 'argon2';
  readonly hash: string;
  readonly ageMs: number;
}

/** How a key's secret is proved, from the cheapest to the dearest: map, Redis entry, Argon2id. */
export interface SecretProof {
  propose(key: string, address: string): Candidate;
  /** By the worker's own map; no wait. */
  isRemembered(candidate: Candidate, principal: Principal): boolean;
  /**
   * By the Redis entry or by Argon2id; undefined: the secret is wrong. Throws GatewayError
   * `auth_unavailable`, `overloaded`, `too_many_failures`.
   */
  prove(candidate: Candidate, principal: Principal): Promise<Proof | undefined>;
  /** For the next request, here and on other workers. `principal`: rows that stood after the wait. */
  remember(candidate: Candidate, principal: Principal, proof: Proof): void;
}

export interface SecretProofParts {
  readonly verified: VerifiedKeys;
  readonly store: VerifiedStore;
  readonly argon2: Argon2Pool;
  readonly failures: FailureLimiter;
  readonly secrets: DerivedSecrets;
  readonly clock: Clock;
  readonly verifiedKeySeconds: number;
  readonly report: (event: AuthEvent) => void;
}

export function makeSecretProof(parts: SecretProofParts): SecretProof {
  const { verified, store, clock, secrets, report } = parts;
  const lifeMs = parts.verifiedKeySeconds * 1_000;

  async function readStored(
    candidate: Candidate,
    principal: Principal,
  ): Promise<Proof | undefined> {
    const { keyId, hash } = principal.key;
    const text = await store.get(keyId).catch(() => {
      throw refuseUnchecked();
    });
    if (text === null) return undefined;
    const stored = { text, nowMs: clock.wallMs() };
    const ageMs = readVerification(secrets, principal, candidate.digest, stored);
    if (ageMs === undefined || ageMs >= lifeMs) return undefined;
    return { by: 'store', hash, ageMs };
  }

  function share(candidate: Candidate, principal: Principal): void {
    const nowMs = clock.wallMs();
    const { keyId, expiresAtMs } = principal.key;
    const ttlMs = Math.min(lifeMs, (expiresAtMs ?? Infinity) - nowMs);
    const text = writeVerification(secrets, principal, candidate.digest, nowMs);
    void store.set(keyId, text, ttlMs).catch(() => {
      report('store_failed');
    });
  }

  return {
    propose: (key, address) => ({ key, digest: digestKey(secrets, key), address }),
    isRemembered({ digest }, principal) {
      const isKnown = verified.has(principal, digest);
      if (isKnown) report('proved_by_map');
      return isKnown;
    },
    async prove(candidate, principal) {
      const stored = await readStored(candidate, principal);
      if (stored) return stored;

      await parts.failures.check(candidate.address);
      const { hash } = principal.key;
      const isRight = await parts.argon2.verify(candidate.key, hash, candidate.digest);
      return isRight ? { by: 'argon2', hash, ageMs: 0 } : undefined;
    },
    remember(candidate, principal, proof) {
      verified.add(principal, candidate.digest, lifeMs - proof.ageMs);
      if (proof.by === 'argon2') share(candidate, principal);
      report(proof.by === 'argon2' ? 'proved_by_argon2' : 'proved_by_store');
    },
  };
}
