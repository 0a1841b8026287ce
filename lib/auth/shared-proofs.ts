import type { Clock } from '../time/clock.ts';
import type { DerivedSecrets } from './key-digest.ts';
import type { Principal } from './principal.ts';
import { refuseUnchecked } from './refused-key.ts';
import type { AuthEvent, Candidate, Proof } from './proof.ts';
import { readVerification, writeVerification } from './stored-verification.ts';
import type { VerifiedStore } from './stored-verification.ts';

export interface SharedProofsParts {
  readonly store: VerifiedStore;
  readonly secrets: DerivedSecrets;
  readonly clock: Clock;
  /** How long a proof is worth something. */
  readonly lifeMs: number;
  readonly report: (event: AuthEvent) => void;
}

/** The proofs that workers have of each other, in Redis. */
export interface SharedProofs {
  /** Throws GatewayError `auth_unavailable` where Redis cannot be asked. */
  read(candidate: Candidate, principal: Principal): Promise<Proof | undefined>;
  /** Nobody waits; what cannot be shared is counted. */
  share(candidate: Candidate, principal: Principal): void;
}

export function makeSharedProofs(parts: SharedProofsParts): SharedProofs {
  const { store, secrets, clock, lifeMs, report } = parts;
  return {
    async read({ digest }, principal) {
      const { keyId, hash } = principal.key;
      const text = await store.get(keyId).catch(() => {
        throw refuseUnchecked();
      });
      if (text === null) return undefined;
      const stored = { text, nowMs: clock.wallMs() };
      const ageMs = readVerification(secrets, principal, digest, stored);
      if (ageMs === undefined || ageMs >= lifeMs) return undefined;
      return { by: 'store', hash, ageMs };
    },
    share({ digest }, principal) {
      const nowMs = clock.wallMs();
      const { keyId, expiresAtMs } = principal.key;
      const ttlMs = Math.min(lifeMs, (expiresAtMs ?? Infinity) - nowMs);
      const text = writeVerification(secrets, principal, digest, nowMs);
      void store.set(keyId, text, ttlMs).catch(() => {
        report('store_failed');
      });
    },
  };
}
