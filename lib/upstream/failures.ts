import { GatewayError } from '../errors/gateway-error.ts';

/** Ways an upstream fails, in our words: nothing of what it said or of where it is gets out. */

export function cannotConnect(): GatewayError {
  return new GatewayError('upstream_error', 'The model server cannot be reached.');
}

/** The connection broke, or what came over it was no HTTP. */
export function connectionBroke(): GatewayError {
  return new GatewayError('upstream_error', 'The connection to the model server broke.');
}

export function answeredBadly(): GatewayError {
  return new GatewayError('upstream_error', 'The model server could not serve this request.');
}

export function firstByteTimedOut(): GatewayError {
  return new GatewayError('upstream_timeout', 'The model server did not answer in time.');
}

export function stalled(): GatewayError {
  return new GatewayError('upstream_timeout', 'The model server stopped sending.');
}

export function tookTooLong(): GatewayError {
  return new GatewayError('upstream_timeout', 'The request took longer than is allowed.');
}

export function tooManyInFlight(): GatewayError {
  return new GatewayError('overloaded', 'Too many requests are running.', { retryAfterMs: 1_000 });
}

/** Every upstream that has the model failed too often; `waitMs` until the first may be tried again. */
export function allResting(waitMs: number): GatewayError {
  return new GatewayError(
    'upstream_unavailable',
    'The model server failed several times in a row and is left alone for a while.',
    { retryAfterMs: waitMs },
  );
}

export function noUpstream(): GatewayError {
  return new GatewayError('models_unavailable', 'No model server has this model now.', {
    retryAfterMs: 1_000,
  });
}

/** The client hung up before the reply began: nobody reads this, the status is the audit row's. */
export function clientGone(): GatewayError {
  return new GatewayError('request_timeout', 'The client closed the connection.');
}
