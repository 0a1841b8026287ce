import { lineTooLong } from './failures.ts';
import type { ReplyMemory } from './reply-memory.ts';

const NEWLINE = 0x0a;
const FIRST_CAPACITY = 4_096;
/** A larger buffer is handed out once its line is complete, and counts as held by its reply. */
const KEPT_CAPACITY = 65_536;
const NOTHING = Buffer.alloc(0);

/**
 * Makes pieces of whole lines from chunks that end anywhere. A chunk that begins and ends with a
 * line is passed on as it is; otherwise what is left over is copied and waits for the next one, so
 * that neither a line in many small chunks nor the socket's buffers cost memory.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #memory: ReplyMemory;
  #heldBytes = KEPT_CAPACITY;
  /** Of the buffer that was handed out last: it is used until the next one is. */
  #handedBytes = 0;
  #waiting: Buffer = NOTHING;
  #length = 0;

  constructor(maxLineBytes: number, memory: ReplyMemory) {
    this.#maxLineBytes = maxLineBytes;
    this.#memory = memory;
  }

  /**
   * The lines that are complete now, ending in a newline; null: none is.
   * @throws GatewayError when an unfinished line is too long, or replies hold too much together
   */
  push(chunk: Buffer): Buffer | null {
    if (this.#length === 0 && chunk[chunk.length - 1] === NEWLINE) return chunk;
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      this.#keep(chunk);
      return null;
    }
    const head = chunk.subarray(0, end);
    const piece = this.#length === 0 ? head : this.#complete(head);
    if (end < chunk.length) this.#keep(chunk.subarray(end));
    return piece;
  }

  /** What came after the last newline; null: nothing. */
  takeRest(): Buffer | null {
    return this.#length === 0 ? null : this.#complete(NOTHING);
  }

  #complete(head: Buffer): Buffer {
    this.#append(head);
    const whole = this.#waiting.subarray(0, this.#length);
    this.#length = 0;
    // A copy of a small one: its buffer is written over by what comes next.
    if (this.#waiting.length <= KEPT_CAPACITY) return Buffer.from(whole);
    this.#memory.drop(this.#handedBytes);
    this.#handedBytes = this.#heldBytes - KEPT_CAPACITY;
    this.#heldBytes = KEPT_CAPACITY;
    this.#waiting = NOTHING;
    return whole;
  }

  #keep(bytes: Buffer): void {
    if (this.#length + bytes.length > this.#maxLineBytes) throw lineTooLong();
    this.#append(bytes);
  }

  #append(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#waiting.length) this.#grow(length);
    bytes.copy(this.#waiting, this.#length);
    this.#length = length;
  }

  #grow(atLeast: number): void {
    const doubled = Math.min(this.#waiting.length * 2, this.#maxLineBytes);
    const capacity = Math.max(atLeast, doubled, FIRST_CAPACITY);
    if (capacity > this.#heldBytes) {
      this.#memory.hold(capacity - this.#heldBytes);
      this.#heldBytes = capacity;
    }
    const larger = Buffer.allocUnsafeSlow(capacity);
    this.#waiting.copy(larger, 0, 0, this.#length);
    this.#waiting = larger;
  }
}
