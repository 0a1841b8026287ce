import type { PromptLoss } from '../metrics/worker-metrics.ts';
import type { Clock } from '../time/clock.ts';
import { inTime } from '../time/in-time.ts';
import type { PromptRow } from './insert-prompt.ts';
import { PromptCapture } from './prompt-capture.ts';
import type { CaptureBounds, CapturedRequest } from './prompt-capture.ts';
import { derivePromptKey, sealPrompt } from './seal-prompt.ts';

export interface PromptLogParts {
  /** `NZGW_PROMPT_LOG_KEY`; undefined: nothing can be kept. */
  readonly secret: string | undefined;
  readonly bounds: CaptureBounds;
  readonly clock: Clock;
  /** False: the row will never do. Rejects where it is to be tried again. */
  write(row: PromptRow): Promise<boolean>;
  onLost(loss: PromptLoss, count: number): void;
}

/** Requests and replies of keys that opted in, on their way to Postgres (SPEC §11). */
export interface PromptLog {
  /** Begins to keep a request that goes to a model. */
  begin(request: CapturedRequest): void;
  /** Who is to see the lines of its reply; undefined: it is not kept. */
  observe(id: string): ((line: Buffer) => void) | undefined;
  /** Its connection has closed: it is written soon, and nobody waits. */
  end(id: string): void;
  /** Entries that are not in Postgres. */
  readonly length: number;
  /** Resolves with how many are left, at the latest after `withinMs`; they are given up. Never rejects. */
  flush(withinMs: number): Promise<number>;
}

/** Streams that end together have gone on meanwhile. */
const PAUSE_MS = 50;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10_000;

export function openPromptLog(parts: PromptLogParts): PromptLog {
  return new Prompts(parts);
}

class Prompts implements PromptLog {
  readonly #parts: PromptLogParts;
  readonly #running = new Map<string, PromptCapture>();
  readonly #ended: PromptCapture[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  /** Until the next try; 0: the last one succeeded. */
  #retryMs = 0;

  constructor(parts: PromptLogParts) {
    this.#parts = parts;
  }

  get length(): number {
    return this.#ended.length;
  }

  begin(request: CapturedRequest): void {
    if (this.#parts.secret === undefined) this.#parts.onLost('no_key', 1);
    else this.#running.set(request.id, new PromptCapture(request, this.#parts.bounds));
  }

  observe(id: string): ((line: Buffer) => void) | undefined {
    const capture = this.#running.get(id);
    return (
      capture &&
      ((line) => {
        capture.note(line);
      })
    );
  }

  end(id: string): void {
    const capture = this.#running.get(id);
    if (!capture) return;
    this.#running.delete(id);
    if (capture.lost) {
      this.#parts.onLost('full', 1);
      return;
    }
    this.#ended.push(capture);
    this.#writeIn(PAUSE_MS);
  }

  async flush(withinMs: number): Promise<number> {
    const { clock } = this.#parts;
    const endMs = clock.monotonicMs() + withinMs;
    let leftMs = withinMs;
    while (this.#ended.length > 0 && leftMs > 0) {
      await inTime(leftMs, this.#write(), () => undefined);
      leftMs = this.#retryMs > 0 ? 0 : endMs - clock.monotonicMs();
    }
    clearTimeout(this.#timer);
    const left = [...this.#ended.splice(0), ...this.#running.values()];
    this.#running.clear();
    for (const capture of left) capture.release();
    if (left.length > 0) this.#parts.onLost('unwritten', left.length);
    return left.length;
  }

  #writeIn(ms: number): void {
    if (this.#writing) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, ms).unref();
  }

  /** The entry that waits longest; the next has its turn when this one is done. Never rejects. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeNext().finally(() => {
      this.#writing = undefined;
      if (this.#ended.length > 0) this.#writeIn(this.#retryMs);
    });
    return this.#writing;
  }

  async #writeNext(): Promise<void> {
    const [capture] = this.#ended;
    if (!capture) return;
    const row = this.#seal(capture);
    let isTaken: boolean;
    try {
      isTaken = row !== null && (await this.#parts.write(row));
    } catch {
      this.#retryMs = Math.min(this.#retryMs * 2 || FIRST_RETRY_MS, LONGEST_RETRY_MS);
      // One that is too large for the time it has does not keep the others waiting.
      if (this.#takeAway(capture)) this.#ended.push(capture);
      return;
    }
    this.#retryMs = 0;
    // It may have been given up meanwhile.
    if (!this.#takeAway(capture)) return;
    capture.release();
    if (!isTaken) this.#parts.onLost('unwritten', 1);
  }

  /** Null: it cannot be written as text. */
  #seal(capture: PromptCapture): PromptRow | null {
    const { owner, cut } = capture;
    try {
      const key = derivePromptKey(this.#parts.secret ?? '', owner.tenantId);
      return { ...owner, cut, ...sealPrompt(key, owner, capture.toText()) };
    } catch {
      return null;
    }
  }

  #takeAway(capture: PromptCapture): boolean {
    const at = this.#ended.indexOf(capture);
    if (at >= 0) this.#ended.splice(at, 1);
    return at >= 0;
  }
}
