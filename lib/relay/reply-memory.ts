import type { ByteBudget } from '../memory/byte-budget.ts';
import { tooManyLarge } from './failures.ts';

export interface ReplyOwner {
  /** Whose share of the memory it is part of. */
  readonly ownerId: string;
  /** Settles when the reply's connection has closed. */
  readonly closed: Promise<void>;
}

/**
 * What one reply holds of the memory that all replies of a worker share, until its connection has
 * closed and nothing works on it any more.
 */
export class ReplyMemory {
  readonly #budget: ByteBudget;
  readonly #ownerId: string;
  #heldBytes = 0;
  #isClosed = false;
  #working = 0;

  constructor(budget: ByteBudget, { ownerId, closed }: ReplyOwner) {
    this.#budget = budget;
    this.#ownerId = ownerId;
    void closed.then(() => {
      this.#isClosed = true;
      this.#releaseIdle();
    });
  }

  /**
   * @throws GatewayError `overloaded` if there is no room, and after the close, when nobody would
   *   give it back; what was held before stays held
   */
  hold(bytes: number): void {
    if (this.#isClosed || !this.#budget.take(this.#ownerId, bytes)) throw tooManyLarge();
    this.#heldBytes += bytes;
  }

  /** Gives so much back before the close; what the close gave back already is not given twice. */
  drop(bytes: number): void {
    const given = Math.min(bytes, this.#heldBytes);
    this.#budget.give(this.#ownerId, given);
    this.#heldBytes -= given;
  }

  /** Holds so much from now on, whatever it was. @throws GatewayError `overloaded` */
  resize(bytes: number): void {
    if (bytes > this.#heldBytes) this.hold(bytes - this.#heldBytes);
    else this.drop(this.#heldBytes - bytes);
  }

  /** Nothing is given back by the close before `work` has settled: it still has the bytes. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#working += 1;
    try {
      return await work;
    } finally {
      this.#working -= 1;
      this.#releaseIdle();
    }
  }

  #releaseIdle(): void {
    if (this.#isClosed && this.#working === 0) this.drop(this.#heldBytes);
  }
}
