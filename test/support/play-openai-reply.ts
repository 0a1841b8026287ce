import { GatewayError } from '../../lib/errors/gateway-error.ts';
import type { JsonPiece } from '../../lib/ollama/replies/line-pieces.ts';
import { parseLine } from '../../lib/ollama/replies/parse-line.ts';
import type { ReplyLine } from '../../lib/ollama/replies/parse-line.ts';
import type { Usage } from '../../lib/ollama/replies/read-usage.ts';
import { ChatFrames } from '../../lib/openai/replies/chat-frames.ts';
import { toChatPieces } from '../../lib/openai/replies/chat-pieces.ts';
import type { ChatPieces } from '../../lib/openai/replies/chat-pieces.ts';
import { CompletionFrames } from '../../lib/openai/replies/completion-frames.ts';
import { toCompletionPieces } from '../../lib/openai/replies/completion-pieces.ts';
import type { CompletionPieces } from '../../lib/openai/replies/completion-pieces.ts';
import type { Frames, StreamState } from '../../lib/openai/replies/frames.ts';
import { toErrorFrame } from '../../lib/openai/replies/sse.ts';
import { wrapChat, wrapCompletion } from '../../lib/openai/replies/wrap-reply.ts';
import type { WholeReply } from '../../lib/openai/replies/wrap-reply.ts';

/** How lines are fed: as a relay does, all parsed, or each by a stream that goes on from the last. */
export type Way = 'plain' | 'parsed' | 'resumed';

const HEX = '0123456789abcdef01234567';
const CALL_ID_PREFIX = `call_${HEX}`;
const MODEL = 'llama3.2:3b';
const FALLBACK_CREATED_S = 1_700_000_000;

export function openFrames(
  endpoint: 'chat' | 'completion',
  includeUsage: boolean,
  state?: StreamState,
): Frames {
  const shared = { model: MODEL, includeUsage, fallbackCreatedS: FALLBACK_CREATED_S };
  return endpoint === 'chat'
    ? new ChatFrames({ ...shared, id: `chatcmpl-${HEX}`, callIdPrefix: CALL_ID_PREFIX }, state)
    : new CompletionFrames({ ...shared, id: `cmpl-${HEX}` }, state);
}

/** All that a streaming client gets for the lines; an error line ends them. */
export function playStream(
  first: Frames,
  lines: readonly string[],
  way: Way,
  open: Reopen,
): string {
  let text = '';
  let frames = first;
  for (const line of lines) {
    const plain = way === 'plain' ? frames.framePlain(line) : null;
    if (plain !== null) {
      text += plain;
      continue;
    }
    const framed = frames.frame(line);
    if (!framed) throw new Error(`no line: ${line}`);
    text += framed.frames;
    if (framed.facts.failed) {
      const message = 'The model server failed while it replied.';
      return text + toErrorFrame(new GatewayError('upstream_error', message));
    }
    if (way === 'resumed') frames = open(structuredClone(frames.state));
  }
  return text;
}

export type Reopen = (state: StreamState) => Frames;

/** The body that a client gets who wants no stream. */
export function playWhole(endpoint: 'chat' | 'completion', lines: readonly string[]): string {
  const parsed = lines.map(toLine);
  return (endpoint === 'chat' ? assembleChat(parsed) : assembleCompletion(parsed)).join('');
}

function assembleChat(lines: readonly ReplyLine[]): JsonPiece[] {
  const pieces: ChatPieces[] = [];
  let first = 0;
  for (const line of lines) {
    const piece = toChatPieces(line, { first, idPrefix: CALL_ID_PREFIX });
    first += piece.callCount;
    pieces.push(piece);
  }
  return wrapChat(toWhole(`chatcmpl-${HEX}`, pieces.at(-1)), {
    content: pieces.map(({ content }) => content),
    thinking: pieces.map(({ thinking }) => thinking),
    toolCalls: join(pieces.map(({ toolCalls }) => toolCalls)),
    logprobs: join(pieces.map(({ logprobs }) => logprobs)),
  });
}

function assembleCompletion(lines: readonly ReplyLine[]): JsonPiece[] {
  const pieces: CompletionPieces[] = [];
  let offset = 0;
  for (const line of lines) {
    const piece = toCompletionPieces(line, offset);
    offset = piece.nextOffset;
    pieces.push(piece);
  }
  return wrapCompletion(toWhole(`cmpl-${HEX}`, pieces.at(-1)), {
    text: pieces.map(({ text }) => text),
    tokens: join(pieces.map(({ tokens }) => tokens)),
    tokenLogprobs: join(pieces.map(({ tokenLogprobs }) => tokenLogprobs)),
    topLogprobs: join(pieces.map(({ topLogprobs }) => topLogprobs)),
    textOffsets: join(pieces.map(({ textOffsets }) => textOffsets)),
  });
}

interface Last {
  readonly createdS: number | null;
  readonly doneReason: string | null;
  readonly facts: { readonly usage: Usage };
}

function toWhole(id: string, last: Last | undefined): WholeReply {
  if (!last) throw new Error('no line');
  const { createdS, doneReason, facts } = last;
  return {
    id,
    model: MODEL,
    createdS: createdS ?? FALLBACK_CREATED_S,
    doneReason,
    usage: facts.usage,
  };
}

/** Items with commas between them. */
function join(pieces: readonly JsonPiece[]): string[] {
  return [pieces.filter(({ length }) => length > 0).join(',')];
}

function toLine(text: string): ReplyLine {
  const line = parseLine(Buffer.from(text));
  if (!line) throw new Error(`no line: ${text}`);
  return line;
}
