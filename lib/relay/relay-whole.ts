import { TAIL_BYTES, readTailUsage } from '../ollama/replies/read-tail-usage.ts';
import type { EmbedReply } from '../ollama/replies/rebuild-embed-reply.ts';
import { notAReply } from './failures.ts';
import { readReply } from './read-reply.ts';
import { openMemory } from './relay-request.ts';
import type { RelayParts, RelayRequest } from './relay-request.ts';
import { rebuildEmbeddings } from './reply-task.ts';
import type { EmbedForm } from './reply-task.ts';
import { Segments } from './segments.ts';
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
  form: EmbedForm,
): Promise<void> {
  const { limits, large } = parts;
  const { tally } = request;
  const memory = openMemory(parts, request);
  const segments = new Segments(limits.maxReplyBytes, memory);

  const rebuild = (): Promise<EmbedReply | null> | EmbedReply | null => {
    if (segments.bytes <= limits.largeReplyBytes) {
      return rebuildEmbeddings(form, Buffer.concat(segments.take()));
    }
    // Known whatever becomes of the reply now: the work is done.
    tally.reported = readTailUsage(segments.readTail(TAIL_BYTES));
    return memory.during(large.rebuildEmbed(form, segments.take()));
  };

  const reply = await readReply(request, {
    onChunk(chunk) {
      segments.add(chunk);
      return undefined;
    },
    async onEnd() {
      const rebuilt = await rebuild();
      if (!rebuilt) throw notAReply();
      memory.resize(rebuilt.body.length);
      return rebuilt;
    },
  });
  if (!reply) return;
  tally.outcome = 'ok';
  tally.reported = reply.usage;
  sendBody(limits, request, [reply.body]);
}
