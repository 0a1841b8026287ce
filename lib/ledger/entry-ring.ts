import type { Entry } from './entry.ts';

export interface EntryRingParts<Item = Entry> {
  /** Must settle within bounded time; a rejection means "perhaps not taken". */
  readonly send: (item: Item) => Promise<void>;
  /** First pause after a failure, doubled up to the last. */
  readonly firstPauseMs?: number;
  readonly lastPauseMs?: number;
}

/** So many are on their way at once; only one while it is not known whether Redis is back. */
const IN_FLIGHT = 256;

/**
 * What is on its way to Redis, entries unless told otherwise, and what Redis would not take yet: each
 * is sent at once, and again until it is acknowledged. It has no bound of its own; whoever pushes
 * keeps one.
 */
export class EntryRing<Item = Entry> {
  readonly #parts: Required<EntryRingParts<Item>>;
  readonly #waiting = new Set<Item>();
  readonly #flushes = new Set<() => void>();
  #inFlight = 0;
  #failures = 0;
  #closed = false;
  #pause: NodeJS.Timeout | undefined;

  constructor(parts: EntryRingParts<Item>) {
    this.#parts = { firstPauseMs: 50, lastPauseMs: 500, ...parts };
  }

  /** What Redis has not acknowledged. */
  get length(): number {
    return this.#waiting.size + this.#inFlight;
  }

  push(item: Item): void {
    this.#waiting.add(item);
    this.#pump();
  }

  /** Redis is back: sends what waits without waiting for the end of a pause. */
  wake(): void {
    this.#failures = 0;
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#pump();
  }

  /** Resolves with how many are left: 0 as soon as all are taken, what remains after `withinMs`. */
  async flush(withinMs: number): Promise<number> {
    if (this.length > 0 && !this.#closed) await this.#untilEmpty(withinMs);
    return this.length;
  }

  /** Stops sending. What is left is lost with the process. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#finishFlushes();
  }

  #pump(): void {
    const room = this.#failures > 0 ? 1 : IN_FLIGHT;
    for (const item of this.#waiting) {
      if (this.#closed || this.#pause !== undefined || this.#inFlight >= room) return;
      this.#waiting.delete(item);
      this.#inFlight += 1;
      void this.#send(item);
    }
  }

  async #send(item: Item): Promise<void> {
    try {
      await this.#parts.send(item);
      this.#failures = 0;
    } catch {
      this.#waiting.add(item);
      this.#pauseOnce();
    }
    this.#inFlight -= 1;
    this.#pump();
    if (this.length === 0) this.#finishFlushes();
  }

  #pauseOnce(): void {
    if (this.#pause !== undefined || this.#closed) return;
    const { firstPauseMs, lastPauseMs } = this.#parts;
    const pauseMs = Math.min(firstPauseMs * 2 ** Math.min(this.#failures, 16), lastPauseMs);
    this.#failures += 1;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#pump();
    }, pauseMs).unref();
  }

  #untilEmpty(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#flushes.delete(finish);
        resolve();
      };
      const timer = setTimeout(finish, withinMs);
      this.#flushes.add(finish);
    });
  }

  #finishFlushes(): void {
    for (const finish of this.#flushes) finish();
  }
}
