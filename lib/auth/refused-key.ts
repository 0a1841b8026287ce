import { GatewayError } from '../errors/gateway-error.ts';

const SOON_MS = 1_000;

/**
 * The one answer to a key that is missing, malformed, unknown, wrong, revoked, expired or of a
 * closed tenant: whoever guesses learns nothing from it.
 */
export function refuseKey(): GatewayError {
  return new GatewayError(
    'invalid_api_key',
    'missing or invalid API key; send it as "Authorization: Bearer nz_..."',
  );
}

/** Only told to who has proved the key's secret. */
export function refuseTenant(): GatewayError {
  return new GatewayError('tenant_suspended', 'this account is suspended');
}

/** A check could not be made, so nothing is believed. */
export function refuseUnchecked(): GatewayError {
  return new GatewayError('auth_unavailable', 'API keys cannot be checked at the moment', {
    retryAfterMs: SOON_MS,
  });
}

/** More checks are waiting than may wait. */
export function refuseOverload(): GatewayError {
  return new GatewayError('overloaded', 'too many API keys are being checked at the moment', {
    retryAfterMs: SOON_MS,
  });
}
