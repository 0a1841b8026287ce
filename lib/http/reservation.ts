import type { ByteBudget } from '../memory/byte-budget.ts';

/** What one body takes of the memory that all bodies of a worker share. */
export class Reservation {
  readonly #budget: ByteBudget;
  readonly #ownerId: string;
  #bytes = 0;
  #over = false;

  /** `ownerId`: whose share of the memory it is part of. */
  constructor(budget: ByteBudget, ownerId: string) {
    this.#budget = budget;
    this.#ownerId = ownerId;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Grows or shrinks. False, and nothing changed, if there is no room or it was released. */
  resize(bytes: number): boolean {
    if (this.#over) return false;
    const more = bytes - this.#bytes;
    if (more > 0 && !this.#budget.take(this.#ownerId, more)) return false;
    if (more < 0) this.#budget.give(this.#ownerId, -more);
    this.#bytes = bytes;
    return true;
  }

  /** Gives everything back, for good. */
  release(): void {
    this.resize(0);
    this.#over = true;
  }
}
