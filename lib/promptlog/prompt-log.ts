import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PromptLoss } from '../metrics/worker-metrics.ts';
import type { Clock } from '../time/clock.ts';
import { inTime } from '../time/in-time.ts';
import type { PromptRow } from './insert-prompts.ts';
import { PromptCapture } from './prompt-capture.ts';
import type { CaptureBounds, CapturedRequest } from './prompt-capture.ts';
import { derivePromptKey, sealPrompt } from './seal-prompt.ts';

export interface PromptLogParts {
  /** `NZGW_PROMPT_LOG_KEY`; undefined: nothing can be kept. */
  readonly secret: string | undefined;
  readonly bounds: CaptureBounds;
  readonly clock: Clock;
  /** Writes a batch; rejects where that is to be tried again. */
  write(rows: readonly PromptRow[]): Promise<void>;
  onLost(loss: PromptLoss): void;
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
  /** Resolves with how many are left, at the latest after `withinMs`; they are given up. */
  flush(withinMs: number): Promise<number>;
}

const BATCH = 50;
const BATCH_BYTES = 4 * 1_048_576;
/** What comes within it is written together. */
const GATHER_MS = 250;
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
    if (this.#parts.secret === undefined) this.#parts.onLost('no_key');
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
      this.#parts.onLost('full');
      return;
    }
    this.#ended.push(capture);
    this.#writeIn(GATHER_MS);
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
    const left = this.#ended.splice(0);
    for (const capture of left) {
      capture.release();
      this.#parts.onLost('unwritten');
    }
    return left.length;
  }

  #writeIn(ms: number): void {
    if (this.#writing) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, ms).unref();
  }

  /** One batch; the next is on its way when this one is done. Never rejects. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeBatch().finally(() => {
      this.#writing = undefined;
      if (this.#ended.length > 0) this.#writeIn(this.#retryMs);
    });
    return this.#writing;
  }

  async #writeBatch(): Promise<void> {
    const batch = await this.#sealBatch();
    try {
      await this.#parts.write(batch.map(({ row }) => row));
    } catch {
      this.#retryMs = Math.min(this.#retryMs * 2 || FIRST_RETRY_MS, LONGEST_RETRY_MS);
      return;
    }
    this.#retryMs = 0;
    const written = new Set(batch.map(({ capture }) => capture));
    // Those that were given up meanwhile are not there any more.
    for (const capture of this.#ended.filter((one) => written.has(one))) capture.release();
    this.#ended.splice(0, this.#ended.length, ...this.#ended.filter((one) => !written.has(one)));
  }

  /** An entry a turn: a large one takes milliseconds, and streams run on this thread. */
  async #sealBatch(): Promise<readonly { capture: PromptCapture; row: PromptRow }[]> {
    const batch: { capture: PromptCapture; row: PromptRow }[] = [];
    let bytes = 0;
    for (const capture of this.#ended.slice(0, BATCH)) {
      const { owner, cut } = capture;
      const key = derivePromptKey(this.#parts.secret ?? '', owner.tenantId);
      const row = { ...owner, cut, ...sealPrompt(key, owner, capture.toText()) };
      batch.push({ capture, row });
      bytes += row.sealed.length;
      if (bytes > BATCH_BYTES) break;
      await nextTurn();
    }
    return batch;
  }
}
