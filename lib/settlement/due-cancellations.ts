import type { Ledger } from '../ledger/ledger.ts';
import type { Cancellation } from '../ledger/settle-request.ts';
import type { Clock } from '../time/clock.ts';

export interface DueParts {
  readonly ledger: Pick<Ledger, 'estimateTimeMs'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Gets each once its deadline has passed. */
  readonly onDue: (cancellation: Cancellation) => void;
}

interface Waiting {
  readonly cancellation: Cancellation;
  readonly notBeforeMs: number;
}

const AGAIN_MS = 200;

/**
 * Cancellations that must wait: until the deadline of its admission has passed for Redis, that
 * admission may still be carried out, and would be taken back too soon.
 */
export class DueCancellations {
  readonly #parts: DueParts;
  readonly #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: DueParts) {
    this.#parts = parts;
  }

  add(cancellation: Cancellation): void {
    this.#waiting.set(cancellation.id, { cancellation, notBeforeMs: 0 });
    this.#look();
  }

  /** Redis found it too early. */
  addAgain(cancellation: Cancellation): void {
    const notBeforeMs = this.#parts.clock.monotonicMs() + AGAIN_MS;
    this.#waiting.set(cancellation.id, { cancellation, notBeforeMs });
    this.#look();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    let soonestMs = Infinity;
    for (const [id, waiting] of this.#waiting) {
      const waitMs = this.#waitOf(waiting);
      soonestMs = Math.min(soonestMs, waitMs);
      if (waitMs > 0) continue;
      this.#waiting.delete(id);
      this.#parts.onDue(waiting.cancellation);
    }
    if (this.#waiting.size === 0) return;
    const timer = setTimeout(
      () => {
        this.#look();
      },
      Math.min(AGAIN_MS, Math.max(1, soonestMs)),
    );
    this.#timer = timer.unref();
  }

  /** While the time of its Redis is not known it waits. */
  #waitOf({ cancellation, notBeforeMs }: Waiting): number {
    const nowMs = this.#parts.ledger.estimateTimeMs(cancellation.tenantId);
    if (nowMs === null) return AGAIN_MS;
    const { clock } = this.#parts;
    return Math.max(notBeforeMs - clock.monotonicMs(), cancellation.deadlineMs + 1 - nowMs);
  }
}
