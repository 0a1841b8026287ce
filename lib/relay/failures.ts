import { GatewayError } from '../errors/gateway-error.ts';

/** What can be wrong with a reply, in our words: nothing of what the upstream said gets out. */

/** An error member: Ollama failed in the middle of its work. */
export function upstreamFailed(): GatewayError {
  return new GatewayError('upstream_error', 'The model server failed while it replied.');
}

export function notAReply(): GatewayError {
  return new GatewayError('upstream_error', 'The model server sent something that is no reply.');
}

export function lineTooLong(): GatewayError {
  return new GatewayError('upstream_error', 'The model server sent a line that is too long.');
}

export function replyTooLong(): GatewayError {
  return new GatewayError('upstream_error', 'The model server sent more than was asked for.');
}

/** A clean end without a last line: nobody knows whether more was to come. */
export function brokenOff(): GatewayError {
  return new GatewayError(
    'upstream_error',
    'The model server ended its reply before it was whole.',
  );
}

/** No failure of the upstream: we have no room for its reply. */
export function isOwnFailure(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'overloaded';
}

/** Replies hold as much memory as they may, or as many wait to be read. */
export function tooManyLarge(): GatewayError {
  return new GatewayError('overloaded', 'Too many large replies at once.', { retryAfterMs: 1_000 });
}

/** The thread that read a large reply is gone. */
export function cannotRead(): GatewayError {
  return new GatewayError('overloaded', 'The reply cannot be read now.', { retryAfterMs: 1_000 });
}
