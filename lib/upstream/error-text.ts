const MAX_BYTES = 65_536;

/** The body of an answer that is not 200, as far as it is worth reading. */
export class ErrorText {
  readonly status: number;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(status: number) {
    this.status = status;
  }

  /** False: enough was read. */
  add(chunk: Buffer): boolean {
    this.#chunks.push(chunk.subarray(0, MAX_BYTES - this.#bytes));
    this.#bytes += chunk.length;
    return this.#bytes < MAX_BYTES;
  }

  read(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}
