import { GatewayError } from '../errors/gateway-error.ts';

const RETRY_AFTER_MS = 1_000;

/** Redis cannot say whether limits are kept, so nobody passes. */
export function limiterUnavailable(): GatewayError {
  return new GatewayError(
    'limiter_unavailable',
    'Limits cannot be checked right now. Try again shortly.',
    { retryAfterMs: RETRY_AFTER_MS },
  );
}
