import type { Clock } from '../time/clock.ts';

/** Something with deadlines of its own, asked now and then whether one has passed. */
export interface Swept {
  sweep(nowMs: number): void;
}

/**
 * Asks everything that is running for its deadlines, with one timer for all of them: a stream sets
 * and clears no timer, and a chunk costs it nothing. Deadlines are met within one tick.
 */
export class Sweeper {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #running = new Set<Swept>();
  #timer: NodeJS.Timeout | null = null;

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  add(item: Swept): void {
    this.#running.add(item);
    this.#timer ??= setInterval(() => {
      this.#sweep();
    }, this.#tickMs).unref();
  }

  /** The timer goes with the last one. */
  remove(item: Swept): void {
    this.#running.delete(item);
    if (this.#running.size > 0 || !this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const item of this.#running) item.sweep(nowMs);
  }
}
