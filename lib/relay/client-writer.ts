import type { ServerResponse } from 'node:http';
import type { Tally } from '../upstream/tally.ts';

/** Larger pieces are given to the socket in slices: it need not hold a whole line. */
const SLICE_BYTES = 65_536;
/**
 * Of a reader that was behind once, and one at a time: what the socket was given counts as taken
 * when all of it is, so a slow reader is seen to move only if that is little.
 */
const SLOW_SLICE_BYTES = 16_384;
const NOTHING = Buffer.alloc(0);

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
  #sliceBytes = SLICE_BYTES;
  #closed = false;
  #flushPending = false;
  #ending = false;
  #timer: NodeJS.Timeout | null = null;
  #takenBytes = 0;

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
    this.#closed = true;
    this.#pieces = [];
    this.#disarm();
    this.#response.off('drain', this.#onTaken);
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

  /** What came in small pieces, in one; of a large one, its next slice. */
  #takeNext(): Buffer {
    const pieces = this.#pieces;
    const [first = NOTHING] = pieces;
    const sliceBytes = this.#sliceBytes;
    if (first.length > sliceBytes) {
      pieces[0] = first.subarray(sliceBytes);
      return first.subarray(0, sliceBytes);
    }
    if (pieces.length === 1) {
      this.#pieces = [];
      return first;
    }
    let count = 1;
    let bytes = first.length + lengthOf(pieces[1]);
    while (count < pieces.length && bytes <= sliceBytes) {
      count += 1;
      bytes += lengthOf(pieces[count]);
    }
    this.#pieces = pieces.slice(count);
    return Buffer.concat(pieces.slice(0, count));
  }

  #write(bytes: Buffer): void {
    this.#options.tally.bytesOut += bytes.length;
    const alone = this.#sliceBytes === SLOW_SLICE_BYTES && this.#pieces.length > 0;
    // Several would leave in one write of the socket.
    if (alone) this.#response.write(bytes, this.#onTaken);
    else if (this.#response.write(bytes)) return;
    else this.#response.once('drain', this.#onTaken);
    this.#blocked = true;
    this.#sliceBytes = SLOW_SLICE_BYTES;
    this.#arm();
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

  readonly #onTaken = (error?: Error | null): void => {
    if (error || this.#closed) return;
    this.#disarm();
    this.#blocked = false;
    this.#flush();
    if (!this.blocked && !this.#ending) this.#options.onFree();
  };

  #arm(): void {
    if (this.#timer) return;
    this.#takenBytes = this.#countTaken();
    this.#timer = setTimeout(this.#look, this.#options.readerTimeoutMs).unref();
  }

  /** A reader that took anything since the last look is slow, not stuck. */
  readonly #look = (): void => {
    this.#timer = null;
    const takenBytes = this.#countTaken();
    if (takenBytes === this.#takenBytes) this.#options.onStuck();
    else this.#arm();
  };

  #countTaken(): number {
    const { socket } = this.#response;
    return socket ? socket.bytesWritten - socket.writableLength : this.#takenBytes;
  }

  #disarm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

function lengthOf(piece: Buffer | undefined): number {
  return piece?.length ?? 0;
}
