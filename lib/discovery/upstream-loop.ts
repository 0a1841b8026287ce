import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import type { ShownModel } from '../ollama/models/read-show.ts';
import type { Clock } from '../time/clock.ts';
import { pollUpstream } from './poll-upstream.ts';
import type { UpstreamSnapshot } from './upstream-snapshot.ts';

const FIRST_RETRY_MS = 1_000;

export interface UpstreamLoopParts {
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly allowCloudModels: boolean;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly logger: Logger;
  /** Takes what a poll found; if it throws, the poll counts as failed. */
  accept(snapshot: UpstreamSnapshot, polledAtMs: number): Promise<void>;
}

/**
 * Polls one upstream for ever: at once, then every interval, after a failure sooner (1 s, doubling
 * up to the interval). Two polls never overlap. What the last good poll found stays with whoever
 * accepted it.
 */
export class UpstreamLoop {
  readonly #parts: UpstreamLoopParts;
  readonly #stopped = new AbortController();
  #shows: ReadonlyMap<string, ShownModel> = new Map();
  #setbacks = 0;
  #answering: boolean | null = null;
  #missing = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(parts: UpstreamLoopParts) {
    this.#parts = parts;
  }

  /** Null before the first poll has ended; then whether the last one succeeded. */
  get answering(): boolean | null {
    return this.#answering;
  }

  /** Settles when a poll that began after the call has ended, well or not. Never rejects. */
  poll(): Promise<void> {
    if (this.#stopped.signal.aborted) return Promise.resolve();
    if (!this.#running) return (this.#running = this.#run());
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.poll();
    });
    return this.#next;
  }

  /** Ends a poll that is under way; settles when nothing is left of the loop. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    const { clock, intervalMs } = this.#parts;
    const startedAtMs = clock.monotonicMs();
    try {
      const missing = await this.#pollOnce(startedAtMs);
      this.#tell(true, missing);
    } catch (error) {
      this.#tell(false, this.#missing, error);
    }
    this.#running = undefined;
    if (this.#stopped.signal.aborted) return;

    const tookMs = clock.monotonicMs() - startedAtMs;
    const delayMs = this.#setbacks > 0 ? this.#retryMs() : Math.max(0, intervalMs - tookMs);
    this.#timer = setTimeout(() => void this.poll(), delayMs);
    this.#timer.unref();
  }

  async #pollOnce(startedAtMs: number): Promise<number> {
    const poll = await pollUpstream({
      ...this.#parts,
      known: this.#shows,
      signal: this.#stopped.signal,
    });
    this.#shows = poll.shows;
    await this.#parts.accept(poll.snapshot, startedAtMs);
    return poll.missing;
  }

  #retryMs(): number {
    return Math.min(this.#parts.intervalMs, FIRST_RETRY_MS * 2 ** (this.#setbacks - 1));
  }

  /** One line a change, not one a poll: an upstream that is away for a day is told once. */
  #tell(answering: boolean, missing: number, error?: unknown): void {
    const { logger, url } = this.#parts;
    const changed = answering !== this.#answering;
    if (!this.#stopped.signal.aborted) {
      if (changed && answering) logger.info({ upstream: url }, 'upstream answers');
      if (changed && !answering) {
        logger.warn({ upstream: url, ...describeError(error) }, 'upstream cannot be polled');
      }
      if (missing > 0 && missing !== this.#missing) {
        logger.warn({ upstream: url, missing }, 'models left out until /api/show tells of them');
      }
    }
    this.#answering = answering;
    this.#missing = missing;
    // Exponents stay small, so that the delay stays a number.
    this.#setbacks = answering && missing === 0 ? 0 : Math.min(this.#setbacks + 1, 20);
  }
}
