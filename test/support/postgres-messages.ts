const MAX_LENGTH = 64 * 1_048_576;

/** One byte; length and body, as a connection begins; or type, length and body, as all else is. */
export type MessageForm = 'byte' | 'plain' | 'typed';

/** Cuts a stream of the Postgres protocol (v3) into whole messages, however it was split. */
export class PostgresMessages {
  #bytes: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
  }

  /**
   * The next message, head included, or undefined while it is not whole.
   * @throws Error when there is no message of that form.
   */
  take(form: MessageForm): Buffer | undefined {
    const size = this.#measure(form);
    if (size === undefined || size > this.#bytes.length) return undefined;
    const message = this.#bytes.subarray(0, size);
    this.#bytes = this.#bytes.subarray(size);
    return message;
  }

  #measure(form: MessageForm): number | undefined {
    if (form === 'byte') return 1;
    const typeSize = form === 'typed' ? 1 : 0;
    if (this.#bytes.length < typeSize + 4) return undefined;
    const length = this.#bytes.readInt32BE(typeSize);
    if (length < 4 || length > MAX_LENGTH) throw new Error('this is not the protocol of Postgres');
    return typeSize + length;
  }
}

/** Steps through the body of a message. */
export class MessageBody {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  /** Up to the zero byte that ends it. */
  readText(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  readInt16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  readInt32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  /** So many bytes; a value of length -1 is NULL and gives ''. */
  readValue(): string {
    const length = this.readInt32();
    if (length < 0) return '';
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }
}
