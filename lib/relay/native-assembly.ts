import type { LineFacts } from '../ollama/replies/line-facts.ts';
import { toFrame, toPieces } from '../ollama/replies/line-pieces.ts';
import type { JsonPiece, LineFrame, LinePieces } from '../ollama/replies/line-pieces.ts';
import { parseLine } from '../ollama/replies/parse-line.ts';
import type { Assembly, AssemblyParts, Part } from './assembly.ts';
import { replyTooLong } from './failures.ts';
import { JsonText } from './json-text.ts';
import type { LargeReplies } from './large-replies.ts';
import type { ReplyMemory } from './reply-memory.ts';

/** As Ollama itself does it for `stream:false`. */
export class NativeAssembly implements Assembly {
  readonly #large: LargeReplies;
  readonly #maxBytes: number;
  readonly #memory: ReplyMemory;
  readonly #content: JsonText;
  readonly #thinking: JsonText;
  readonly #toolCalls: JsonText;
  readonly #logprobs: JsonText;
  #last: LineFacts | null = null;
  #makeFrame: (() => LineFrame) | null = null;

  constructor(large: LargeReplies, { maxBytes, memory }: AssemblyParts) {
    this.#large = large;
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

  read(bytes: Uint8Array): Part | null {
    const line = parseLine(bytes);
    return line && this.#toPart(toPieces(line), () => toFrame(line));
  }

  async readLarge(bytes: Uint8Array, memory: ReplyMemory): Promise<Part | null> {
    const apart = await this.#large.takeApart(bytes, memory);
    return apart && this.#toPart(apart, () => apart.frame);
  }

  /** `makeFrame` is called for the last line only. */
  #toPart(pieces: LinePieces, makeFrame: () => LineFrame): Part {
    return {
      facts: pieces.facts,
      add: () => {
        this.#add(pieces, makeFrame);
      },
    };
  }

  #add(pieces: LinePieces, makeFrame: () => LineFrame): void {
    this.#last = pieces.facts;
    this.#makeFrame = makeFrame;
    this.#content.add(pieces.content);
    this.#thinking.add(pieces.thinking);
    this.#toolCalls.add(pieces.toolCalls);
    this.#logprobs.add(pieces.logprobs);
    const lists = this.#toolCalls.length + this.#logprobs.length;
    if (this.#content.length + this.#thinking.length + lists > this.#maxBytes) throw replyTooLong();
  }

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
