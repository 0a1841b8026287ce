import { toErrorBody } from '../errors/error-body.ts';
import type { GatewayError } from '../errors/gateway-error.ts';
import { readLineFacts } from '../ollama/replies/line-facts.ts';
import type { LineFacts } from '../ollama/replies/line-facts.ts';
import { judgeLine, passesUnread } from './check-line.ts';
import type { LargeReplies } from './large-replies.ts';
import type { ReplyMemory } from './reply-memory.ts';
import type { StreamForm, StreamLine } from './stream-form.ts';

const HEADERS = ['content-type', 'application/x-ndjson'];

/** Ollama's own lines, which pass as they came; few of them are read at all. */
export class NativeForm implements StreamForm {
  readonly headers = HEADERS;
  /** No blank line is ever inserted into NDJSON. */
  readonly keepAlive = null;
  /** A native client reads that from the last line, and what comes after it too. */
  readonly told = false;
  readonly #large: LargeReplies;
  #lastLine: Buffer | null = null;
  /** Of the last line, if it had to be read. */
  #lastFacts: LineFacts | null = null;

  constructor(large: LargeReplies) {
    this.#large = large;
  }

  take({ bytes, last }: StreamLine): void {
    const unread = !last && passesUnread(bytes);
    this.#lastFacts = unread ? null : judgeLine(readLineFacts(bytes));
    this.#lastLine = bytes;
  }

  async takeLarge(line: Buffer, memory: ReplyMemory): Promise<void> {
    this.#lastFacts = judgeLine(await this.#large.readFacts(line, memory));
    this.#lastLine = line;
  }

  flush(piece: Buffer): Buffer {
    return piece;
  }

  readLast(): LineFacts | null {
    return this.#lastFacts ?? (this.#lastLine && readLineFacts(this.#lastLine));
  }

  /** The last line tells by itself whether the reply is whole. */
  finish(): null {
    return null;
  }

  toErrorFrame(error: GatewayError): string {
    return `${toErrorBody(error, 'native')}\n`;
  }
}
