import { replyTooLong } from './failures.ts';
import type { ReplyMemory } from './reply-memory.ts';

const FIRST_BYTES = 16_384;
const MOST_BYTES = 1_048_576;

/**
 * Keeps a reply as it comes, in buffers of its own: a small chunk would hold the whole buffer of
 * the socket, and one growing buffer would be copied again and again. They can be moved to a
 * thread.
 */
export class Segments {
  readonly #maxBytes: number;
  readonly #memory: ReplyMemory;
  #segments: Uint8Array[] = [];
  /** Room that is left in the last one. */
  #free = 0;
  #bytes = 0;

  constructor(maxBytes: number, memory: ReplyMemory) {
    this.#maxBytes = maxBytes;
    this.#memory = memory;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws GatewayError for too long a reply, or when replies hold too much together */
  add(chunk: Buffer): void {
    if (this.#bytes + chunk.length > this.#maxBytes) throw replyTooLong();
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#free === 0) this.#open();
      const part = rest.subarray(0, this.#free);
      const last = this.#segments.at(-1);
      last?.set(part, last.length - this.#free);
      this.#free -= part.length;
      this.#bytes += part.length;
      rest = rest.subarray(part.length);
    }
  }

  /** The last bytes, at most `length`. */
  readTail(length: number): Buffer {
    return Buffer.concat(
      this.#list()
        .slice(-2)
        .map((one) => one.subarray(-length)),
    ).subarray(-length);
  }

  /** Everything, in order; nothing is kept. */
  take(): Uint8Array[] {
    const taken = this.#list();
    this.#segments = [];
    this.#free = 0;
    this.#bytes = 0;
    return taken;
  }

  #list(): Uint8Array[] {
    const last = this.#segments.at(-1);
    if (!last) return [];
    return [...this.#segments.slice(0, -1), last.subarray(0, last.length - this.#free)];
  }

  #open(): void {
    const left = this.#maxBytes - this.#bytes;
    const bytes = Math.min(Math.max(this.#bytes, FIRST_BYTES), MOST_BYTES, left);
    this.#memory.hold(bytes);
    this.#segments.push(Buffer.allocUnsafeSlow(bytes));
    this.#free = bytes;
  }
}
