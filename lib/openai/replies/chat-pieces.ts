import { toLineFacts } from '../../ollama/replies/line-facts.ts';
import type { LinePieces } from '../../ollama/replies/line-pieces.ts';
import type { ReplyLine } from '../../ollama/replies/parse-line.ts';
import { toItemsText, toTextInside } from './json-inside.ts';
import { toLogprobs } from './logprobs.ts';
import { readCreatedS, readDoneReason, readMessage } from './read-line.ts';
import { toToolCalls } from './tool-calls.ts';
import type { CallPlace } from './tool-calls.ts';

/** What the last line of a reply says of the whole. */
export interface LineEnd {
  /** Unix seconds; null: it tells no time. */
  readonly createdS: number | null;
  /** Null: none was told. */
  readonly doneReason: string | null;
}

/** What a line adds to an assembled chat, as JSON of OpenAI's form that needs only to be joined. */
export interface ChatPieces extends LinePieces, LineEnd {
  /** So many calls are in `toolCalls`. */
  readonly callCount: number;
}

/** Throws RangeError for arguments of a tool too deep to be written again. */
export function toChatPieces(line: ReplyLine, place: CallPlace): ChatPieces {
  const message = readMessage(line);
  const calls = toToolCalls(message['tool_calls'], place);
  return {
    facts: toLineFacts(line),
    content: toTextInside(message['content']),
    thinking: toTextInside(message['thinking']),
    toolCalls: toItemsText(calls),
    callCount: calls.length,
    logprobs: toItemsText(toLogprobs(line['logprobs'])),
    createdS: readCreatedS(line),
    doneReason: readDoneReason(line),
  };
}
