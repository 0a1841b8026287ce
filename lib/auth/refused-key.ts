import { GatewayError } from '../errors/gateway-error.ts';
import type { Principal } from './principal.ts';

const SOON_MS = 1_000;

/**
 * The tenant of a key whose secret was proved is suspended. Only the key's holder is told so; the
 * refusal names who that is, so that it can be audited.
 */
export class SuspendedTenantError extends GatewayError {
  readonly principal: Principal;

  constructor(principal: Principal) {
    super('tenant_suspended', 'This account is suspended.');
    this.principal = principal;
  }
}

/** A check could not be made, so nothing is believed. */
export function refuseUnchecked(): GatewayError {
  return new GatewayError('auth_unavailable', 'API keys cannot be checked at the moment.', {
    retryAfterMs: SOON_MS,
  });
}

/** More checks are waiting than may wait. */
export function refuseOverload(): GatewayError {
  return new GatewayError('overloaded', 'Too many API keys are being checked at the moment.', {
    retryAfterMs: SOON_MS,
  });
}
