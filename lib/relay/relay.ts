import { NativeForm } from './native-form.ts';
import { relayAssembled } from './relay-assembled.ts';
import type { RelayParts, RelayRequest } from './relay-request.ts';
import { relayWhole } from './relay-whole.ts';
import { relayStream } from './stream-relay.ts';

/**
 * Brings a reply to its client in the form that was asked for. Resolves when the response was ended
 * or the client is gone; the tally then says how it ended.
 *
 * @throws GatewayError while nothing was sent yet, or, for a failure of ours, when all was sent
 */
export function relay(parts: RelayParts, request: RelayRequest): Promise<void> {
  const { route, streamed } = request.call;
  if (route === 'embed' || route === 'embeddings') return relayWhole(parts, request, route);
  if (!streamed) return relayAssembled(parts, request);
  return relayStream(parts, request, new NativeForm(parts.large));
}
