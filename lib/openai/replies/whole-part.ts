import type { LineFacts } from '../../ollama/replies/line-facts.ts';
import type { JsonPiece } from '../../ollama/replies/line-pieces.ts';
import type { ReplyLine } from '../../ollama/replies/parse-line.ts';
import { toChatPieces } from './chat-pieces.ts';
import type { LineEnd } from './chat-pieces.ts';
import { toCompletionPieces } from './completion-pieces.ts';
import { wrapChat, wrapCompletion } from './wrap-reply.ts';
import type { ChatBody, CompletionBody, WholeReply } from './wrap-reply.ts';

/** Which of the two replies that are made of lines: `/v1/chat/completions` or `/v1/completions`. */
export type ReplyKind = 'chat' | 'completion';

/** Where a line stands in a reply. Plain data. */
export interface PartPlace {
  readonly kind: ReplyKind;
  readonly callIdPrefix: string;
  /** Tool calls of a chat, characters of a completion's tokens: of all lines before. */
  readonly sent: number;
}

export type TextName = keyof ChatBody | keyof CompletionBody;

/** What one line adds to a reply that is put together. Plain data. */
export interface WholePart extends LineEnd {
  readonly facts: LineFacts;
  readonly texts: Readonly<Partial<Record<TextName, JsonPiece>>>;
  /** PartPlace's, for the next line. */
  readonly sent: number;
}

/** Whose pieces are items of a list; those of all others are one text. */
export const LISTS: ReadonlySet<TextName> = new Set<TextName>([
  'toolCalls',
  'logprobs',
  'tokens',
  'tokenLogprobs',
  'topLogprobs',
  'textOffsets',
]);

/** Null: too deep to be written again. */
export function toWholePart(line: ReplyLine, place: PartPlace): WholePart | null {
  try {
    return place.kind === 'chat' ? toChatPart(line, place) : toCompletionPart(line, place);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The same in bytes that can be moved to another thread. */
export function toMovablePart(part: WholePart | null): WholePart | null {
  if (!part) return null;
  const texts = Object.entries(part.texts).map(([name, text]) => [name, Buffer.from(text)]);
  return { ...part, texts: Object.fromEntries(texts) as WholePart['texts'] };
}

/** The whole body in pieces. `take` gives what was gathered of a text, items joined with commas. */
export function wrapWhole(
  kind: ReplyKind,
  reply: WholeReply,
  take: (name: TextName) => readonly JsonPiece[],
): JsonPiece[] {
  if (kind === 'chat') {
    return wrapChat(reply, {
      content: take('content'),
      thinking: take('thinking'),
      toolCalls: take('toolCalls'),
      logprobs: take('logprobs'),
    });
  }
  return wrapCompletion(reply, {
    text: take('text'),
    tokens: take('tokens'),
    tokenLogprobs: take('tokenLogprobs'),
    topLogprobs: take('topLogprobs'),
    textOffsets: take('textOffsets'),
  });
}

function toChatPart(line: ReplyLine, { sent, callIdPrefix }: PartPlace): WholePart {
  const place = { first: sent, idPrefix: callIdPrefix };
  const { facts, createdS, doneReason, callCount, ...texts } = toChatPieces(line, place);
  return { facts, createdS, doneReason, texts, sent: sent + callCount };
}

function toCompletionPart(line: ReplyLine, { sent }: PartPlace): WholePart {
  const { facts, createdS, doneReason, nextOffset, ...texts } = toCompletionPieces(line, sent);
  return { facts, createdS, doneReason, texts, sent: nextOffset };
}
