import { isObject } from '../ollama/json-object.ts';
import { parseLine } from '../ollama/replies/parse-line.ts';
import { TextGatherer } from './text-gatherer.ts';

/** Parsing a longer line would take more than some milliseconds of the thread that streams. */
const LONGEST_LINE_BYTES = 262_144;

/** What a model said, as it is kept. */
export interface ReplyText {
  readonly content: string;
  readonly thinking: string;
  readonly tool_calls: readonly unknown[];
}

/** Gathers what the lines of a reply say, up to a bound; what comes after it is left out. */
export class ReplyTextGatherer {
  readonly #content = new TextGatherer();
  readonly #thinking = new TextGatherer();
  /** JSON of each, with commas between them. */
  readonly #toolCalls = new TextGatherer();
  #hasCalls = false;
  #bytes = 0;
  #cut = false;

  /** Something was left out. */
  get cut(): boolean {
    return this.#cut;
  }

  /** Of all that was taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a line as the upstream sent it, if there is room for it. @throws RangeError for one too deep */
  take(line: Buffer, maxBytes: number): void {
    if (line.length > LONGEST_LINE_BYTES) {
      this.#cut = true;
      return;
    }
    const parsed = parseLine(line);
    if (!parsed) return;
    const { message } = parsed;
    const source = isObject(message) ? message : parsed;
    const content = toText(isObject(message) ? message['content'] : parsed['response']);
    const thinking = toText(source['thinking']);
    const calls = toItems(source['tool_calls']);
    if (content === '' && thinking === '' && calls === '') return;
    // No later line either: a text with a hole in it reads like a whole one.
    if (this.#cut || this.#bytes + content.length + thinking.length + calls.length > maxBytes) {
      this.#cut = true;
      return;
    }
    this.#bytes += this.#content.add(content) + this.#thinking.add(thinking);
    if (calls === '') return;
    this.#bytes += this.#toolCalls.add(this.#hasCalls ? `,${calls}` : calls);
    this.#hasCalls = true;
  }

  /** As JSON. */
  toJson(): string {
    const content = JSON.stringify(this.#content.toString());
    const thinking = JSON.stringify(this.#thinking.toString());
    const calls = this.#toolCalls.toString();
    return `{"content":${content},"thinking":${thinking},"tool_calls":[${calls}]}`;
  }
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function toItems(value: unknown): string {
  return Array.isArray(value) && value.length > 0 ? JSON.stringify(value).slice(1, -1) : '';
}
