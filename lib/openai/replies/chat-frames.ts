import { isDone } from '../../ollama/replies/parse-line.ts';
import type { ReplyLine } from '../../ollama/replies/parse-line.ts';
import { toFinishReason } from './finish-reason.ts';
import type { StreamOptions, StreamState } from './frames.ts';
import { toLogprobs } from './logprobs.ts';
import type { Logprob } from './logprobs.ts';
import { readPlainChat } from './plain-line.ts';
import { readDoneReason, readMessage, readText } from './read-line.ts';
import { StreamFrames } from './stream-frames.ts';
import type { ChunkForm, LineChoices } from './stream-frames.ts';
import { toToolCalls } from './tool-calls.ts';
import type { ToolCall } from './tool-calls.ts';

export interface ChatStreamOptions extends StreamOptions {
  /** CallPlace's `idPrefix`. */
  readonly callIdPrefix: string;
}

/** Native lines of /api/chat as chunks of /v1/chat/completions. */
export class ChatFrames extends StreamFrames {
  /** `state`: where another one left the stream. */
  constructor(options: ChatStreamOptions, state?: StreamState) {
    super(makeForm(options.callIdPrefix), options, state);
  }
}

function makeForm(idPrefix: string): ChunkForm {
  return {
    object: 'chat.completion.chunk',
    plain: ['{"index":0,"delta":{"content":"', '"},"finish_reason":null}'],
    readPlain: readPlainChat,
    toChoices: (line, { first, sent }) => toChoices(readParts(line, { first, sent, idPrefix })),
  };
}

interface Parts {
  /** Nothing was sent before. */
  readonly first: boolean;
  readonly content: string;
  readonly thinking: string;
  readonly calls: readonly ToolCall[];
  readonly logprobs: readonly Logprob[];
  /** Calls of the whole reply so far. */
  readonly sent: number;
  readonly done: boolean;
  readonly doneReason: string | null;
}

interface Place {
  readonly first: boolean;
  readonly sent: number;
  readonly idPrefix: string;
}

function readParts(line: ReplyLine, { first, sent, idPrefix }: Place): Parts {
  const message = readMessage(line);
  const calls = toToolCalls(message['tool_calls'], { first: sent, idPrefix });
  return {
    first,
    content: readText(message['content']),
    thinking: readText(message['thinking']),
    calls,
    logprobs: toLogprobs(line['logprobs']),
    sent: sent + calls.length,
    done: isDone(line),
    doneReason: readDoneReason(line),
  };
}

function toChoices(parts: Parts): LineChoices {
  const { first, content, thinking, calls, logprobs, sent, done, doneReason } = parts;
  const adds = content !== '' || thinking !== '' || calls.length > 0 || logprobs.length > 0;
  const deltas = adds || first || !done ? toDeltas(parts) : [];
  if (!done) return { choices: deltas, sent };
  const finish = { index: 0, delta: {}, finish_reason: toFinishReason(doneReason, sent > 0) };
  return { choices: [...deltas, finish], sent };
}

/** One chunk a line; two where thinking ends and the answer begins. */
function toDeltas({ first, content, thinking, calls, logprobs }: Parts): object[] {
  const role = first ? { role: 'assistant' } : {};
  const reasoning = thinking === '' ? {} : { reasoning: thinking };
  const toolCalls = calls.length === 0 ? {} : { tool_calls: calls };
  const rated = logprobs.length === 0 ? {} : { logprobs: { content: logprobs } };
  if (thinking !== '' && (content !== '' || calls.length > 0)) {
    return [
      { index: 0, delta: { ...role, ...reasoning }, finish_reason: null, ...rated },
      { index: 0, delta: { content, ...toolCalls }, finish_reason: null },
    ];
  }
  const delta = { ...role, content, ...reasoning, ...toolCalls };
  return [{ index: 0, delta, finish_reason: null, ...rated }];
}
