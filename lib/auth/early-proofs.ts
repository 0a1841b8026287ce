import type { Clock } from '../time/clock.ts';
import type { Principal } from './principal.ts';
import type { Candidate, Proof } from './proof.ts';

export interface EarlyProofParts {
  /** As for a request that has no proof yet; undefined and rejections leave things as they are. */
  readonly prove: (candidate: Candidate, principal: Principal) => Promise<Proof | undefined>;
  readonly remember: (candidate: Candidate, principal: Principal, proof: Proof) => void;
  readonly clock: Clock;
  /** How long a proof is worth something. */
  readonly lifeMs: number;
}

/** Proves a key anew that a request has just used. That request does not wait. */
export type ProveEarly = (candidate: Candidate, principal: Principal) => void;

/** So many at once, so that a key that nobody has proved yet hardly waits behind them. */
const MAX_AT_ONCE = 2;

/**
 * Keys in use are proved again shortly before their proof is over: otherwise all that began in one
 * second would end in one second, and their requests would stand in line for Argon2 every minute.
 * What is proved is worth something only for the versions of the rows that the request had.
 */
export function makeEarlyProofs(parts: EarlyProofParts): ProveEarly {
  const { prove, remember, clock, lifeMs } = parts;
  const running = new Set<string>();

  return (candidate, principal) => {
    const { keyId, expiresAtMs } = principal.key;
    if (running.has(keyId) || running.size >= MAX_AT_ONCE) return;
    // Its last proof lasts up to its expiry; a new one would be as short.
    if (expiresAtMs !== null && expiresAtMs - clock.wallMs() <= lifeMs) return;

    running.add(keyId);
    void prove(candidate, principal)
      .then((proof) => {
        if (proof) remember(candidate, principal, proof);
      })
      .catch(() => undefined)
      .finally(() => running.delete(keyId));
  };
}
