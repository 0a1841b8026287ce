import type { LineFacts } from '../ollama/replies/line-facts.ts';
import type { JsonPiece, LineFrame, LinePieces } from '../ollama/replies/line-pieces.ts';
import { replyTooLong } from './failures.ts';
import { JsonText } from './json-text.ts';
import type { ReplyMemory } from './reply-memory.ts';

/**
 * Puts the lines of a chat or a generation together as Ollama does for `stream:false`: texts
 * concatenated, tool calls and log probabilities appended in order, all else from the last line.
 * What it keeps is the JSON of the reply already.
 */
export class Assembly {
  readonly #maxBytes: number;
  readonly #memory: ReplyMemory;
  readonly #content: JsonText;
  readonly #thinking: JsonText;
  readonly #toolCalls: JsonText;
  readonly #logprobs: JsonText;
  #last: LineFacts | null = null;
  #makeFrame: (() => LineFrame) | null = null;

  constructor(maxBytes: number, memory: ReplyMemory) {
    this.#maxBytes = maxBytes;
    this.#memory = memory;
    this.#content = new JsonText(memory);
    this.#thinking = new JsonText(memory);
    this.#toolCalls = new JsonText(memory, ',');
    this.#logprobs = new JsonText(memory, ',');
  }

  get last(): LineFacts | null {
    return this.#last;
  }

  /**
   * `makeFrame` is called for the last line only.
   * @throws GatewayError when the reply grows too large
   */
  add(pieces: LinePieces, makeFrame: () => LineFrame): void {
    this.#last = pieces.facts;
    this.#makeFrame = makeFrame;
    this.#content.add(pieces.content);
    this.#thinking.add(pieces.thinking);
    this.#toolCalls.add(pieces.toolCalls);
    this.#logprobs.add(pieces.logprobs);
    const lists = this.#toolCalls.length + this.#logprobs.length;
    if (this.#content.length + this.#thinking.length + lists > this.#maxBytes) throw replyTooLong();
  }

  /** The reply as one JSON text in pieces; null: no line came. @throws GatewayError */
  finish(): Uint8Array[] | null {
    if (!this.#makeFrame) return null;
    const { rest, message } = this.#makeFrame();
    this.#memory.hold(Buffer.byteLength(rest) + Buffer.byteLength(message ?? ''));
    const own = [
      [message === null ? '"response":"' : '"content":"', ...this.#content.take(), '"'],
      toMember('"thinking":"', this.#thinking, '"'),
      toMember('"tool_calls":[', this.#toolCalls, ']'),
    ];
    const reply = join([
      [rest],
      ...(message === null ? own : [['"message":{', ...join([[message], ...own]), '}']]),
      toMember('"logprobs":[', this.#logprobs, ']'),
    ]);
    return ['{', ...reply, '}'].map(toBytes);
  }
}

type Member = readonly JsonPiece[];

/** A member that is left out when there is nothing in it. */
function toMember(before: string, text: JsonText, after: string): Member {
  return text.empty ? [] : [before, ...text.take(), after];
}

/** Members of an object without its braces. */
function join(members: readonly Member[]): JsonPiece[] {
  const some = members.filter(([first = '']) => first.length > 0);
  return some.flatMap((member, i) => (i === 0 ? member : [',', ...member]));
}

function toBytes(piece: JsonPiece): Uint8Array {
  return typeof piece === 'string' ? Buffer.from(piece) : piece;
}
