import { isObject } from '../ollama/replies/parse-line.ts';
import type { ReplyLine } from '../ollama/replies/parse-line.ts';
import { replyTooLong } from './failures.ts';

/**
 * Puts the lines of a chat or a generation together as Ollama does for `stream:false`: texts
 * concatenated, tool calls and log probabilities appended in order, all else from the last line.
 */
export class Assembly {
  readonly #maxBytes: number;
  readonly #content: string[] = [];
  readonly #thinking: string[] = [];
  readonly #toolCalls: unknown[] = [];
  readonly #logprobs: unknown[] = [];
  #bytes = 0;
  #last: ReplyLine | null = null;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get last(): ReplyLine | null {
    return this.#last;
  }

  /**
   * `lineBytes`: the length of the line as it came.
   * @throws GatewayError when the reply grows too large
   */
  add(line: ReplyLine, lineBytes: number): void {
    this.#last = line;
    const message = line['message'];
    const source = isObject(message) ? message : line;
    const text = isObject(message) ? message['content'] : line['response'];
    this.#bytes += keepText(text, this.#content) + keepText(source['thinking'], this.#thinking);
    const lists =
      keepList(source['tool_calls'], this.#toolCalls) + keepList(line['logprobs'], this.#logprobs);
    if (lists > 0) this.#bytes += lineBytes;
    if (this.#bytes > this.#maxBytes) throw replyTooLong();
  }

  /** The reply as one object; null: no line came. */
  finish(): Record<string, unknown> | null {
    if (!this.#last) return null;
    const message = this.#last['message'];
    const parts = {
      ...(this.#thinking.length > 0 && { thinking: this.#thinking.join('') }),
      ...(this.#toolCalls.length > 0 && { tool_calls: this.#toolCalls }),
    };
    const logprobs = this.#logprobs.length > 0 && { logprobs: this.#logprobs };
    const content = this.#content.join('');
    if (!isObject(message)) return { ...this.#last, response: content, ...parts, ...logprobs };
    return { ...this.#last, message: { ...message, content, ...parts }, ...logprobs };
  }
}

/** Bytes of the text that was kept. */
function keepText(value: unknown, texts: string[]): number {
  if (typeof value !== 'string' || value === '') return 0;
  texts.push(value);
  return Buffer.byteLength(value);
}

/** Number of the items that were kept. */
function keepList(value: unknown, items: unknown[]): number {
  if (!Array.isArray(value)) return 0;
  for (const item of value) items.push(item);
  return value.length;
}
