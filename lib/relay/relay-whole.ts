import { rebuildEmbedReply } from '../ollama/replies/rebuild-embed-reply.ts';
import type { EmbedReply, EmbedRoute } from '../ollama/replies/rebuild-embed-reply.ts';
import { notAReply, replyTooLong } from './failures.ts';
import { readReply } from './read-reply.ts';
import type { RelayParts, RelayRequest } from './relay-request.ts';
import { sendBody } from './send-body.ts';

/**
 * Reads the reply of an embedding whole, makes it anew from known fields and sends it. A large one
 * is parsed in a thread, never on the one that streams (SPEC §2.1).
 *
 * @throws GatewayError for every failure, and for a reply that holds no embedding
 */
export async function relayWhole(
  parts: RelayParts,
  request: RelayRequest,
  route: EmbedRoute,
): Promise<void> {
  const { limits } = parts;
  const { tally } = request;
  const chunks: Buffer[] = [];
  let bytesIn = 0;
  const whole = await readReply(request, (chunk) => {
    bytesIn += chunk.length;
    if (bytesIn > limits.maxReplyBytes) throw replyTooLong();
    chunks.push(chunk);
  });
  if (!whole) return;

  tally.outcome = 'upstream_error';
  const reply = await rebuild(parts, route, Buffer.concat(chunks));
  if (!reply) throw notAReply();
  tally.outcome = 'ok';
  tally.reported = reply.usage;
  const { body } = reply;
  sendBody(limits, request, Buffer.from(body.buffer, body.byteOffset, body.length));
}

function rebuild(
  parts: RelayParts,
  route: EmbedRoute,
  bytes: Buffer,
): Promise<EmbedReply | null> | EmbedReply | null {
  if (bytes.length > parts.limits.largeReplyBytes) return parts.rebuildLarge(route, bytes);
  return rebuildEmbedReply(route, bytes);
}
