import type { JsonPiece } from '../../ollama/replies/line-pieces.ts';
import type { Usage } from '../../ollama/replies/read-usage.ts';
import { toFinishReason } from './finish-reason.ts';
import { toReplyHead } from './reply-head.ts';
import { toOpenAiUsage } from './usage.ts';

/** What is told of an assembled reply as a whole. */
export interface WholeReply {
  readonly id: string;
  readonly createdS: number;
  readonly model: string;
  /** Of the last line; null: it told none, or the reply ended well without a last line. */
  readonly doneReason: string | null;
  readonly usage: Usage;
}

type Pieces = readonly JsonPiece[];

/** The pieces of all lines (ChatPieces), joined with commas where they are items. */
export interface ChatBody {
  readonly content: Pieces;
  readonly thinking: Pieces;
  readonly toolCalls: Pieces;
  readonly logprobs: Pieces;
}

/** The same of CompletionPieces. */
export interface CompletionBody {
  readonly text: Pieces;
  readonly tokens: Pieces;
  readonly tokenLogprobs: Pieces;
  readonly topLogprobs: Pieces;
  readonly textOffsets: Pieces;
}

/** The whole body of a chat that is not streamed, in pieces. */
export function wrapChat(reply: WholeReply, body: ChatBody): JsonPiece[] {
  const reason = toFinishReason(reply.doneReason, !isEmpty(body.toolCalls));
  return [
    toReplyHead({ ...reply, object: 'chat.completion' }),
    ',"choices":[{"index":0,"message":{"role":"assistant","content":"',
    ...body.content,
    '"',
    ...toMember(',"reasoning":"', body.thinking, '"'),
    ...toMember(',"tool_calls":[', body.toolCalls, ']'),
    `},"finish_reason":${JSON.stringify(reason)}`,
    ...toMember(',"logprobs":{"content":[', body.logprobs, ']}'),
    toTail(reply),
  ];
}

/** The whole body of a completion that is not streamed, in pieces. */
export function wrapCompletion(reply: WholeReply, body: CompletionBody): JsonPiece[] {
  const reason = toFinishReason(reply.doneReason, false);
  return [
    toReplyHead({ ...reply, object: 'text_completion' }),
    ',"choices":[{"text":"',
    ...body.text,
    '","index":0,"logprobs":',
    ...(isEmpty(body.tokens) ? ['null'] : wrapLogprobs(body)),
    `,"finish_reason":${JSON.stringify(reason)}`,
    toTail(reply),
  ];
}

function wrapLogprobs(body: CompletionBody): JsonPiece[] {
  return [
    '{"tokens":[',
    ...body.tokens,
    '],"token_logprobs":[',
    ...body.tokenLogprobs,
    '],"top_logprobs":[',
    ...body.topLogprobs,
    '],"text_offset":[',
    ...body.textOffsets,
    ']}',
  ];
}

function toTail({ usage }: WholeReply): string {
  return `}],"usage":${JSON.stringify(toOpenAiUsage(usage))}}`;
}

/** A member that is left out when there is nothing in it. */
function toMember(before: string, pieces: Pieces, after: string): Pieces {
  return isEmpty(pieces) ? [] : [before, ...pieces, after];
}

function isEmpty(pieces: Pieces): boolean {
  return pieces.every(({ length }) => length === 0);
}
