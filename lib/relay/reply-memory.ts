import type { ByteBudget } from '../memory/byte-budget.ts';
import { tooManyLarge } from './failures.ts';

/**
 * What one reply holds of the memory that all replies of a worker share, until its connection has
 * closed and nothing works on it any more.
 */
export class ReplyMemory {
  readonly #budget: ByteBudget;
  readonly #closed: Promise<void>;
  #heldBytes = 0;
  #asked = false;
  #isClosed = false;
  #working = 0;

  constructor(budget: ByteBudget, closed: Promise<void>) {
    this.#budget = budget;
    this.#closed = closed;
  }

  /** @throws GatewayError `overloaded` if there is no room; what was held before stays held */
  hold(bytes: number): void {
    if (!this.#budget.take(bytes)) throw tooManyLarge();
    this.#heldBytes += bytes;
    if (this.#asked) return;
    this.#asked = true;
    void this.#closed.then(() => {
      this.#isClosed = true;
      this.#releaseIdle();
    });
  }

  /** Holds so much from now on, whatever it was. @throws GatewayError `overloaded` */
  resize(bytes: number): void {
    if (bytes > this.#heldBytes) this.hold(bytes - this.#heldBytes);
    else this.#give(this.#heldBytes - bytes);
  }

  /** Nothing is given back before `work` has settled: it still has the bytes. */
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
    if (this.#isClosed && this.#working === 0) this.#give(this.#heldBytes);
  }

  #give(bytes: number): void {
    this.#budget.give(bytes);
    this.#heldBytes -= bytes;
  }
}
