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
