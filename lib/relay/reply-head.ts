import type { RelayRequest } from './relay-request.ts';

/**
 * Sends the head of a 200: what its form has, what every response has, what was granted, and the limits'
 * headers. Nothing of the upstream's head is copied. Flat, because node takes it as it is.
 */
export function sendHead(
  request: Pick<RelayRequest, 'exchange' | 'lease' | 'headers'>,
  own: readonly string[],
  contentLength?: number,
): void {
  const { exchange, lease, headers } = request;
  const head = [...own, ...exchange.standardHeaders];
  if (lease.numPredict !== null) head.push('x-nzgw-max-tokens', String(lease.numPredict));
  if (contentLength !== undefined) head.push('content-length', String(contentLength));
  for (const item of headers) head.push(item);
  exchange.response.writeHead(200, head);
}
