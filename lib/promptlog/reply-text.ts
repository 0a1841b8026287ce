import { isObject } from '../ollama/json-object.ts';
import { parseLine } from '../ollama/replies/parse-line.ts';

/** A longer line is no text of a token: it is not read on the thread that streams. */
const LONGEST_LINE_BYTES = 65_536;

/** What a model said, as it is kept. */
export interface ReplyText {
  readonly content: string;
  readonly thinking: string;
  readonly tool_calls: readonly unknown[];
}

/** Gathers what the lines of a reply say, up to a bound; what comes after it is left out. */
export class ReplyTextGatherer {
  #content = '';
  #thinking = '';
  readonly #toolCalls: unknown[] = [];
  #cut = false;

  /** Something was left out. */
  get cut(): boolean {
    return this.#cut;
  }

  get text(): ReplyText {
    return { content: this.#content, thinking: this.#thinking, tool_calls: this.#toolCalls };
  }

  /** Leaves out whatever comes from now on. */
  stop(): void {
    this.#cut = true;
  }

  /** Takes a line as the upstream sent it. Returns how many bytes of text it brought. */
  take(line: Buffer): number {
    if (this.#cut) return 0;
    if (line.length > LONGEST_LINE_BYTES) {
      this.#cut = true;
      return 0;
    }
    const parsed = parseLine(line);
    if (!parsed) return 0;
    const { message } = parsed;
    const source = isObject(message) ? message : parsed;
    const content = toText(isObject(message) ? message['content'] : parsed['response']);
    const thinking = toText(source['thinking']);
    this.#content += content;
    this.#thinking += thinking;
    const bytes = Buffer.byteLength(content) + Buffer.byteLength(thinking);
    return bytes + this.#takeCalls(source['tool_calls']);
  }

  #takeCalls(calls: unknown): number {
    if (!Array.isArray(calls)) return 0;
    this.#toolCalls.push(...(calls as unknown[]));
    return Buffer.byteLength(JSON.stringify(calls));
  }
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
