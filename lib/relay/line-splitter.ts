import { lineTooLong } from './failures.ts';

const NEWLINE = 0x0a;
const FIRST_CAPACITY = 4_096;
/** A larger buffer is let go once its line is complete. */
const KEPT_CAPACITY = 65_536;
const NOTHING = Buffer.alloc(0);

/**
 * Makes pieces of whole lines from chunks that end anywhere. A chunk that begins and ends with a
 * line is passed on as it is; otherwise what is left over is copied and waits for the next one, so
 * that neither a line in many small chunks nor the socket's buffers cost memory.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #waiting: Buffer = NOTHING;
  #length = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /**
   * The lines that are complete now, ending in a newline; null: none is.
   * @throws GatewayError when an unfinished line is too long
   */
  push(chunk: Buffer): Buffer | null {
    if (this.#length === 0 && chunk[chunk.length - 1] === NEWLINE) return chunk;
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      this.#keep(chunk);
      return null;
    }
    const head = chunk.subarray(0, end);
    const waiting = this.takeRest();
    if (end < chunk.length) this.#keep(chunk.subarray(end));
    return waiting ? Buffer.concat([waiting, head]) : head;
  }

  /** What came after the last newline; null: nothing. */
  takeRest(): Buffer | null {
    if (this.#length === 0) return null;
    // A copy: the buffer is written over by what comes next.
    const rest = Buffer.from(this.#waiting.subarray(0, this.#length));
    this.#length = 0;
    if (this.#waiting.length > KEPT_CAPACITY) this.#waiting = NOTHING;
    return rest;
  }

  #keep(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#maxLineBytes) throw lineTooLong();
    if (length > this.#waiting.length) this.#grow(length);
    bytes.copy(this.#waiting, this.#length);
    this.#length = length;
  }

  #grow(atLeast: number): void {
    const larger = Buffer.allocUnsafeSlow(
      Math.max(atLeast, this.#waiting.length * 2, FIRST_CAPACITY),
    );
    this.#waiting.copy(larger, 0, 0, this.#length);
    this.#waiting = larger;
  }
}
