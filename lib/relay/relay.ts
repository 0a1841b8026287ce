import { relayAssembled } from './relay-assembled.ts';
import { relayNative } from './relay-native.ts';
import type { RelayParts, RelayRequest } from './relay-request.ts';
import { relayWhole } from './relay-whole.ts';

/**
 * Brings a reply to its client in the form that was asked for. Resolves when the response was ended
 * or the client is gone; the tally then says how it ended.
 *
 * @throws GatewayError while nothing was sent yet, or, for a failure of ours, when all was sent
 */
export function relay(parts: RelayParts, request: RelayRequest): Promise<void> {
  const { route, streamed } = request.call;
  if (route === 'embed' || route === 'embeddings') return relayWhole(parts, request, route);
  return streamed ? relayNative(parts, request) : relayAssembled(parts, request);
}
