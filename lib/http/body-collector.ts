import { GatewayError } from '../errors/gateway-error.ts';
import type { BodyMemory } from './body-memory.ts';

/** Larger bodies are written into their place as they come, so that no moment copies all of one. */
const MAX_GATHERED_BYTES = 65_536;

/** The bytes of one body, within its own limit and the worker's memory for bodies. */
export class BodyCollector {
  readonly #memory: BodyMemory;
  readonly #maxBytes: number;
  readonly #whole: Buffer | null;
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #bytes = 0;

  /**
   * @param declaredBytes what Content-Length says, taken from memory at once; null if unknown
   * @throws GatewayError `overloaded` if there is no room
   */
  constructor(memory: BodyMemory, maxBytes: number, declaredBytes: number | null) {
    this.#memory = memory;
    this.#maxBytes = maxBytes;
    const fault = this.#hold(declaredBytes ?? 0);
    if (fault) throw fault;
    const large = declaredBytes !== null && declaredBytes > MAX_GATHERED_BYTES;
    this.#whole = large ? Buffer.allocUnsafeSlow(declaredBytes) : null;
  }

  /** Returns why no more can be taken, or null. */
  add(chunk: Buffer): GatewayError | null {
    const bytes = this.#bytes + chunk.length;
    if (bytes > this.#maxBytes) return tooLarge(this.#maxBytes);
    const fault = this.#hold(bytes - this.#heldBytes);
    if (fault) return fault;

    if (this.#whole) chunk.copy(this.#whole, this.#bytes);
    else this.#chunks.push(chunk);
    this.#bytes = bytes;
    return null;
  }

  /** The body. Its buffer belongs to the caller, who may move it to a thread if it is large. */
  finish(): Buffer {
    if (this.#whole) return this.#whole;
    const [first] = this.#chunks;
    const single = this.#chunks.length === 1 && first !== undefined;
    return single ? first : Buffer.concat(this.#chunks, this.#bytes);
  }

  /** Gives all memory back; what comes after the first call does nothing. */
  release(): void {
    this.#memory.give(this.#heldBytes);
    this.#heldBytes = 0;
    this.#chunks = [];
  }

  #hold(bytes: number): GatewayError | null {
    if (bytes <= 0) return null;
    if (!this.#memory.take(bytes)) return overloaded();
    this.#heldBytes += bytes;
    return null;
  }
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError('request_too_large', `The body is larger than ${maxBytes} bytes`, {
    closeConnection: true,
  });
}

function overloaded(): GatewayError {
  return new GatewayError('overloaded', 'Too many large requests at once; try again', {
    retryAfterMs: 1_000,
    closeConnection: true,
  });
}
