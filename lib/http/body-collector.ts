import type { GatewayError } from '../errors/gateway-error.ts';
import { tooLarge, tooManyBodies } from './body-faults.ts';
import type { Reservation } from './reservation.ts';

const MIN_SEGMENT_BYTES = 4_096;
const MAX_SEGMENT_BYTES = 262_144;

interface CollectorLimits {
  readonly maxBytes: number;
  /** What Content-Length says; null if unknown. */
  readonly declaredBytes: number | null;
}

/**
 * The bytes of one body, within its own limit and the worker's memory for bodies. Memory is taken
 * as bytes come, whatever length was declared. They are copied into segments that grow with the
 * body: single bytes kept as they came would cost a hundred times their size, and one buffer for
 * all would have to be there before the first byte or be copied at the last.
 */
export class BodyCollector {
  readonly #reservation: Reservation;
  readonly #maxBytes: number;
  readonly #declaredBytes: number | null;
  readonly #segments: Buffer[] = [];
  #bytes = 0;
  /** Bytes of the last segment that are taken. */
  #filled = 0;
  #single: Buffer | null = null;

  constructor(reservation: Reservation, { maxBytes, declaredBytes }: CollectorLimits) {
    this.#reservation = reservation;
    this.#maxBytes = Math.min(maxBytes, declaredBytes ?? maxBytes);
    this.#declaredBytes = declaredBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Returns why no more can be taken, or null. */
  add(chunk: Buffer): GatewayError | null {
    if (this.#bytes + chunk.length > this.#maxBytes) return tooLarge(this.#maxBytes);
    if (this.#bytes === 0 && chunk.length === this.#declaredBytes) {
      if (!this.#reservation.resize(chunk.length)) return tooManyBodies(true);
      this.#single = chunk;
      this.#bytes = chunk.length;
      return null;
    }
    return this.#copy(chunk);
  }

  /** The body in its pieces, in order. */
  finish(): readonly Buffer[] {
    if (this.#single) return [this.#single];
    return this.#segments.map((segment, index) =>
      index === this.#segments.length - 1 ? segment.subarray(0, this.#filled) : segment,
    );
  }

  /** Those buffers of the pieces that nobody else uses: they may move to a thread. */
  listOwned(): readonly ArrayBuffer[] {
    return this.#segments.map(({ buffer }) => buffer as ArrayBuffer);
  }

  #copy(chunk: Buffer): GatewayError | null {
    let done = 0;
    while (done < chunk.length) {
      const segment = this.#findRoom(chunk.length - done);
      if (!segment) return tooManyBodies(true);
      const copied = chunk.copy(segment, this.#filled, done);
      this.#filled += copied;
      this.#bytes += copied;
      done += copied;
    }
    return null;
  }

  #findRoom(wantedBytes: number): Buffer | null {
    const last = this.#segments.at(-1);
    if (last && this.#filled < last.length) return last;
    // All segments are full: what they hold is what was reserved.
    const length = Math.min(
      Math.max(this.#bytes, wantedBytes, MIN_SEGMENT_BYTES),
      MAX_SEGMENT_BYTES,
      this.#maxBytes - this.#bytes,
    );
    if (!this.#reservation.resize(this.#bytes + length)) return null;
    const segment = Buffer.allocUnsafeSlow(length);
    this.#segments.push(segment);
    this.#filled = 0;
    return segment;
  }
}
