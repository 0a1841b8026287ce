import type { Clock } from '../time/clock.ts';
import type { Argon2Pool } from './argon2-pool.ts';
import type { FailureLimiter } from './failure-limiter.ts';
import { makeEarlyProofs } from './early-proofs.ts';
import { digestKey } from './key-digest.ts';
import type { DerivedSecrets } from './key-digest.ts';
import type { Principal } from './principal.ts';
import type { AuthEvent, Candidate, Proof } from './proof.ts';
import { makeSharedProofs } from './shared-proofs.ts';
import type { VerifiedStore } from './stored-verification.ts';
import type { VerifiedKeys } from './verified-keys.ts';

/** How a key's secret is proved, from the cheapest to the dearest: map, Redis entry, Argon2id. */
export interface SecretProof {
  propose(key: string, address: string): Candidate;
  /** By the worker's own map; no wait. A proof that is soon over is renewed meanwhile. */
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

/** A proof in use is renewed in the last quarter of its life. */
const EARLY_PART = 1 / 4;

export function makeSecretProof(parts: SecretProofParts): SecretProof {
  const { verified, clock, secrets, report } = parts;
  const lifeMs = parts.verifiedKeySeconds * 1_000;
  const earlyMs = lifeMs * EARLY_PART;
  const shared = makeSharedProofs({ ...parts, lifeMs });

  async function prove(
    { key, digest }: Candidate,
    { hash }: Principal['key'],
  ): Promise<Proof | undefined> {
    const isRight = await parts.argon2.verify(key, hash, digest);
    return isRight ? { by: 'argon2', hash, ageMs: 0 } : undefined;
  }

  function remember(candidate: Candidate, principal: Principal, proof: Proof): void {
    verified.add(principal, candidate.digest, lifeMs - proof.ageMs);
    if (proof.by === 'argon2') shared.share(candidate, principal);
    report(proof.by === 'argon2' ? 'proved_by_argon2' : 'proved_by_store');
  }

  const proveEarly = makeEarlyProofs({
    prove: async (candidate, principal) => {
      const stored = await shared.read(candidate, principal);
      // Another worker may have proved it anew already; its first proof is as old as ours.
      if (stored && lifeMs - stored.ageMs > earlyMs) return stored;
      return prove(candidate, principal.key);
    },
    remember,
    clock,
    lifeMs,
  });

  return {
    propose: (key, address) => ({ key, digest: digestKey(secrets, key), address }),
    isRemembered(candidate, principal) {
      const leftMs = verified.readLeftMs(principal, candidate.digest);
      if (leftMs <= 0) return false;
      report('proved_by_map');
      if (leftMs <= earlyMs) proveEarly(candidate, principal);
      return true;
    },
    async prove(candidate, principal) {
      const stored = await shared.read(candidate, principal);
      if (stored) return stored;
      await parts.failures.check(candidate.address);
      return prove(candidate, principal.key);
    },
    remember,
  };
}
