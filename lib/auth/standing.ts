import { invalidKey } from '../errors/invalid-key.ts';
import type { SharedReader } from '../shared/shared-reader.ts';
import type { Clock } from '../time/clock.ts';
import type { Principal } from './principal.ts';
import { refuseUnchecked, SuspendedTenantError } from './refused-key.ts';

/** What is looked at anew after every wait. */
export interface StandingParts {
  readonly shared: Pick<SharedReader, 'refresh' | 'readTrust'>;
  readonly clock: Clock;
}

/**
 * Looks at shared memory anew: nothing in it is believed beyond the primary's deadline. Throws
 * GatewayError `auth_unavailable`.
 */
export function requireTrust({ shared, clock }: StandingParts): void {
  shared.refresh();
  const trust = shared.readTrust();
  if (!trust || clock.monotonicMs() >= trust.deadlineMs) throw refuseUnchecked();
}

/** Throws GatewayError `invalid_api_key` for a key that is revoked, expired or of a closed tenant. */
export function requireAlive({ key, tenant }: Principal, clock: Clock): void {
  const isExpired = key.expiresAtMs !== null && key.expiresAtMs <= clock.wallMs();
  if (key.status !== 'active' || isExpired || tenant.status === 'closed') throw invalidKey();
}

/** Throws SuspendedTenantError; only for a key whose secret was proved. */
export function requireNotSuspended(principal: Principal): void {
  if (principal.tenant.status === 'suspended') throw new SuspendedTenantError(principal);
}
