import type { ServerResponse } from 'node:http';
import type { Tally } from '../upstream/tally.ts';

/** Larger pieces are given to the socket in slices, so that a slow reader is seen to move. */
const SLICE_BYTES = 262_144;

export interface WriterOptions {
  readonly response: ServerResponse;
  readonly tally: Tally;
  /** A reader that takes nothing for so long is stuck. */
  readonly readerTimeoutMs: number;
  /** Everything was taken: more may come. */
  onFree(): void;
  onStuck(): void;
}

/**
 * Writes a reply to its client: what comes in one turn goes in one write, and a reader that does
 * not keep up is waited for, but not for ever. At most one turn's bytes and one line wait here.
 */
export class ClientWriter {
  readonly #options: WriterOptions;
  readonly #response: ServerResponse;
  #pieces: Buffer[] = [];
  #blocked = false;
  #flushPending = false;
  #ending = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#response = options.response;
  }

  /** The reader is behind: nothing more should be pushed until onFree. */
  get blocked(): boolean {
    return this.#blocked;
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    if (this.#flushPending || this.#blocked) return;
    this.#flushPending = true;
    queueMicrotask(this.#flush);
  }

  /** Ends the response after what was pushed. */
  end(): void {
    this.#ending = true;
    if (!this.#flushPending && !this.#blocked) this.#flush();
  }

  /** Forgets what waits, and the reader. */
  close(): void {
    this.#pieces = [];
    this.#disarm();
    this.#response.off('drain', this.#onDrain);
  }

  readonly #flush = (): void => {
    this.#flushPending = false;
    while (this.#pieces.length > 0 && !this.#blocked && !this.#response.destroyed) {
      const bytes = this.#takeNext();
      if (this.#ending && this.#pieces.length === 0) this.#endResponse(bytes);
      else this.#write(bytes);
    }
    if (this.#ending && this.#pieces.length === 0) this.#endResponse(null);
  };

  #takeNext(): Buffer {
    const [first] = this.#pieces;
    const all = this.#pieces.length === 1 && first ? first : Buffer.concat(this.#pieces);
    this.#pieces = all.length > SLICE_BYTES ? [all.subarray(SLICE_BYTES)] : [];
    return all.length > SLICE_BYTES ? all.subarray(0, SLICE_BYTES) : all;
  }

  #write(bytes: Buffer): void {
    this.#options.tally.bytesOut += bytes.length;
    if (this.#response.write(bytes)) return;
    this.#blocked = true;
    this.#arm();
    this.#response.once('drain', this.#onDrain);
  }

  #endResponse(bytes: Buffer | null): void {
    const response = this.#response;
    if (response.destroyed || response.writableEnded) return;
    if (bytes) {
      this.#options.tally.bytesOut += bytes.length;
      response.end(bytes);
    } else response.end();
    // What the socket still holds must be taken too, or the request would never be over.
    if (!response.socket || response.socket.writableLength === 0) return;
    this.#arm();
    response.once('close', () => {
      this.#disarm();
    });
  }

  readonly #onDrain = (): void => {
    this.#disarm();
    this.#blocked = false;
    this.#flush();
    if (!this.blocked && !this.#ending) this.#options.onFree();
  };

  #arm(): void {
    this.#timer ??= setTimeout(() => {
      this.#options.onStuck();
    }, this.#options.readerTimeoutMs).unref();
  }

  #disarm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
