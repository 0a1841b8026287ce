import { GatewayError } from '../errors/gateway-error.ts';

/* Refusals of bodies that more than one file here has. */

export function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError('request_too_large', `The body is larger than ${maxBytes} bytes`, {
    closeConnection: true,
  });
}

/** `closeConnection`: the body has not been read to its end. */
export function tooManyBodies(closeConnection: boolean): GatewayError {
  return new GatewayError('overloaded', 'Too many large requests at once; try again', {
    retryAfterMs: 1_000,
    ...(closeConnection && { closeConnection }),
  });
}
