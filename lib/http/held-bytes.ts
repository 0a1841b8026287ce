import type { Reservation } from './reservation.ts';
import { tooManyBodies } from './body-faults.ts';

const NOTHING = new Uint8Array();

/**
 * Bytes of one request on their way upstream, and their place in the worker's memory for bodies:
 * the place is free again when the bytes are let go, not before.
 */
export class HeldBytes {
  readonly #reservation: Reservation;
  readonly #restBytes: number;
  #bytes: Uint8Array;

  /**
   * `restBytes`: what else of the request lives on without these bytes.
   * @throws GatewayError `overloaded` if there is no room
   */
  constructor(bytes: Uint8Array, reservation: Reservation, restBytes: number) {
    if (!reservation.resize(bytes.length + restBytes)) throw tooManyBodies(false);
    this.#reservation = reservation;
    this.#restBytes = restBytes;
    this.#bytes = bytes;
  }

  /** Empty once they were let go. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Bytes that were made of these take their place; these are let go. @throws as the constructor */
  become(made: Uint8Array): HeldBytes {
    const held = new HeldBytes(made, this.#reservation, this.#restBytes);
    this.#bytes = NOTHING;
    return held;
  }

  drop(): void {
    this.#bytes = NOTHING;
    this.#reservation.resize(this.#restBytes);
  }
}
