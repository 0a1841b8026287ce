import type { FramesSpec } from '../openai/replies/make-frames.ts';
import { makeReplyIds } from '../openai/reply-ids.ts';
import type { ReplyWishes } from '../openai/reply-wishes.ts';
import type { RelayRequest } from './relay-request.ts';

/** How the reply to an OpenAI client is told, streamed or not. */
export function toFramesSpec(
  { exchange, call, model }: Pick<RelayRequest, 'exchange' | 'call' | 'model'>,
  { includeUsage }: ReplyWishes,
): FramesSpec {
  const ids = makeReplyIds(exchange.admissionId);
  const kind = call.route === 'chat' ? 'chat' : 'completion';
  return {
    kind,
    id: ids[kind],
    model,
    includeUsage,
    fallbackCreatedS: ids.createdS,
    callIdPrefix: ids.callPrefix,
  };
}
