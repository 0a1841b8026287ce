import { invalidKey } from '../errors/invalid-key.ts';
import type { Exchange } from '../http/exchange.ts';
import type { FailureLimiter } from './failure-limiter.ts';
import type { KeyDirectory } from './key-directory.ts';
import { readPublicId } from './key-format.ts';
import { readPresentedKey } from './presented-key.ts';
import type { Principal } from './principal.ts';
import { refuseUnchecked } from './refused-key.ts';
import type { Renewal } from './renewal.ts';
import type { Candidate, Proof } from './proof.ts';
import type { SecretProof } from './secret-proof.ts';
import { matchSecretTag } from './secret-tag.ts';
import type { Peppers, TagMatch } from './secret-tag.ts';
import { requireAlive, requireNotSuspended, requireTrust } from './standing.ts';
import type { StandingParts } from './standing.ts';

export interface AuthenticateParts extends StandingParts {
  readonly directory: KeyDirectory;
  readonly proof: SecretProof;
  readonly failures: FailureLimiter;
  readonly renewal: Renewal;
  readonly peppers: Peppers;
}

export type Authenticate = (exchange: Exchange) => Promise<Principal>;

/** Rows that change under a check are read again this often; more is a storm, not a customer. */
const MAX_ROUNDS = 3;

/**
 * Step 2 of a request: who calls, in the order of SPEC §4. What costs nothing comes first. What was
 * read before a wait is believed only if it still stands after it, so that a key revoked while its
 * secret is being verified does not pass. Throws GatewayError alone.
 */
export function makeAuthenticate(parts: AuthenticateParts): Authenticate {
  return async (exchange) => {
    const key = readPresentedKey(exchange.request.rawHeaders);
    const publicId = key === undefined ? undefined : readPublicId(key);
    if (key === undefined || publicId === undefined) throw invalidKey();

    requireTrust(parts);
    return decide(parts, publicId, parts.proof.propose(key, exchange.clientAddress));
  };
}

async function decide(
  parts: AuthenticateParts,
  publicId: string,
  candidate: Candidate,
): Promise<Principal> {
  let proof: Proof | undefined;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const known = parts.directory.read(publicId);
    const principal = known ?? (await lookUp(parts, publicId, candidate));
    const tag = readTag(parts.peppers, principal, candidate);
    if (tag === 'none') throw await countFailure(parts, candidate);
    requireAlive(principal, parts.clock);
    if (tag !== 'missing') requireNotSuspended(principal);

    if (known && parts.proof.isRemembered(candidate, principal)) {
      requireNotSuspended(principal);
      return principal;
    }
    if (proof?.hash !== principal.key.hash) proof = await parts.proof.prove(candidate, principal);
    if (!proof) throw await countFailure(parts, candidate);

    requireTrust(parts);
    if (!parts.directory.isCurrent(principal)) continue;
    requireNotSuspended(principal);
    parts.proof.remember(candidate, principal, proof);
    if (proof.by === 'argon2') parts.renewal(principal.key, candidate.key, tag);
    return principal;
  }
  throw refuseUnchecked();
}

/** The rows of a key that shared memory does not hold; an id that nobody has is a failure. */
async function lookUp(
  parts: AuthenticateParts,
  publicId: string,
  candidate: Candidate,
): Promise<Principal> {
  if (!parts.directory.isUnknown(publicId)) {
    await parts.failures.check(candidate.address);
    const rows = await parts.directory.lookUp(publicId);
    if (rows) return rows;
  }
  throw await countFailure(parts, candidate);
}

async function countFailure(parts: AuthenticateParts, { address }: Candidate): Promise<Error> {
  await parts.failures.fail(address);
  return invalidKey();
}

function readTag(peppers: Peppers, { key }: Principal, candidate: Candidate): TagMatch | 'missing' {
  if (key.secretTag === null) return 'missing';
  return matchSecretTag(peppers, candidate.key, key.secretTag);
}
