import type { Exchange } from '../http/exchange.ts';
import type { Authenticate } from './authenticate.ts';
import type { KeyDirectory } from './key-directory.ts';
import type { Principal } from './principal.ts';
import { requireAlive, requireNotSuspended, requireTrust } from './standing.ts';
import type { StandingParts } from './standing.ts';

export interface ConfirmParts extends StandingParts {
  readonly directory: Pick<KeyDirectory, 'readAgain'>;
  readonly authenticate: Authenticate;
}

/** The rows that are in force now, of a caller who was known before a wait. */
export type Confirm = (exchange: Exchange, principal: Principal) => Promise<Principal>;

/**
 * After the wait for a body, which lasts as long as the client likes: whoever was known by then is
 * looked at anew, and goes on with the rows of now. The secret is not proved again while the key
 * and its hash are the same; otherwise the request is authenticated from the start. Throws as that.
 */
export function makeConfirm(parts: ConfirmParts): Confirm {
  return async (exchange, principal) => {
    requireTrust(parts);
    const now = parts.directory.readAgain(principal);
    if (!now || !isProvedBy(principal, now)) return parts.authenticate(exchange);

    requireAlive(now, parts.clock);
    requireNotSuspended(now);
    return now;
  };
}

function isProvedBy(before: Principal, { key }: Principal): boolean {
  return before.key.keyId === key.keyId && before.key.hash === key.hash;
}
