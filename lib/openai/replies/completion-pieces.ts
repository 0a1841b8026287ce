import { toLineFacts } from '../../ollama/replies/line-facts.ts';
import type { LineFacts } from '../../ollama/replies/line-facts.ts';
import type { JsonPiece } from '../../ollama/replies/line-pieces.ts';
import type { ReplyLine } from '../../ollama/replies/parse-line.ts';
import type { LineEnd } from './chat-pieces.ts';
import { toItemsText, toTextInside } from './json-inside.ts';
import { toLegacyLogprobs } from './legacy-logprobs.ts';
import { readCreatedS, readDoneReason } from './read-line.ts';

/** What a line adds to an assembled completion, as JSON that needs only to be joined. */
export interface CompletionPieces extends LineEnd {
  readonly facts: LineFacts;
  readonly text: JsonPiece;
  /** Items of the four lists of LegacyLogprobs, without brackets. */
  readonly tokens: JsonPiece;
  readonly tokenLogprobs: JsonPiece;
  readonly topLogprobs: JsonPiece;
  readonly textOffsets: JsonPiece;
  /** What the next line's `offset` is. */
  readonly nextOffset: number;
}

/** `offset`: characters of the tokens before this line, 0 for the first. */
export function toCompletionPieces(line: ReplyLine, offset: number): CompletionPieces {
  const { logprobs, nextOffset } = toLegacyLogprobs(line, offset);
  return {
    facts: toLineFacts(line),
    text: toTextInside(line['response']),
    tokens: toItemsText(logprobs?.tokens ?? []),
    tokenLogprobs: toItemsText(logprobs?.token_logprobs ?? []),
    topLogprobs: toItemsText(logprobs?.top_logprobs ?? []),
    textOffsets: toItemsText(logprobs?.text_offset ?? []),
    nextOffset,
    createdS: readCreatedS(line),
    doneReason: readDoneReason(line),
  };
}
