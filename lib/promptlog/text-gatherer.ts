/** Small texts are put together when so much of them has come: each by itself costs more than it holds. */
const JOIN_BYTES = 2_048;

/** A long text that comes in small pieces, in about the memory that it takes as UTF-8. */
export class TextGatherer {
  readonly #blocks: Buffer[] = [];
  #pieces: string[] = [];
  #pieceBytes = 0;

  /** Returns the bytes of the piece. */
  add(piece: string): number {
    if (piece === '') return 0;
    const bytes = Buffer.byteLength(piece);
    this.#pieces.push(piece);
    this.#pieceBytes += bytes;
    if (this.#pieceBytes >= JOIN_BYTES) this.#join();
    return bytes;
  }

  toString(): string {
    this.#join();
    return Buffer.concat(this.#blocks).toString();
  }

  #join(): void {
    if (this.#pieces.length === 0) return;
    this.#blocks.push(Buffer.from(this.#pieces.join('')));
    this.#pieces = [];
    this.#pieceBytes = 0;
  }
}
