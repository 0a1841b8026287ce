import { GatewayError } from './gateway-error.ts';

/**
 * The one refusal for a missing, malformed, unknown, wrong, revoked or expired key and for one of a
 * closed tenant: nobody learns from it which it was (SPEC §4).
 */
export function invalidKey(): GatewayError {
  return new GatewayError('invalid_api_key', 'The API key is missing or not valid.');
}
