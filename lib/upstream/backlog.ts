import type { GatewayError } from '../errors/gateway-error.ts';
import type { ReplyReceiver } from './reply.ts';

/** What may wait for a receiver before the socket is paused. */
const MAX_WAITING_BYTES = 65_536;

/**
 * Stands between the parser and the relay: keeps what comes before the relay listens or while it
 * asked for a pause (undici still delivers what it had read), and keeps the order, end included.
 */
export class Backlog {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #receiver: ReplyReceiver | null = null;
  #paused = false;
  #end: { readonly failure: GatewayError | null } | null = null;

  /** The receiver wants nothing now. */
  get paused(): boolean {
    return this.#paused;
  }

  /** False: pause the socket. */
  add(chunk: Buffer): boolean {
    if (this.#receiver && !this.#paused) {
      this.#paused = !this.#receiver.onBytes(chunk);
      return !this.#paused;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    return !this.#paused && this.#bytes < MAX_WAITING_BYTES;
  }

  /** True: the socket may flow. */
  receive(receiver: ReplyReceiver): boolean {
    this.#receiver = receiver;
    return this.resume();
  }

  /** True: the socket may flow. */
  resume(): boolean {
    this.#paused = false;
    this.#deliver();
    return !this.#paused;
  }

  /** Once, after the last chunk. */
  end(failure: GatewayError | null): void {
    this.#end ??= { failure };
    this.#deliver();
  }

  /** Nothing is delivered any more. */
  close(): void {
    this.#receiver = null;
    this.#chunks = [];
    this.#end = { failure: null };
  }

  #deliver(): void {
    while (this.#receiver && !this.#paused) {
      const chunk = this.#chunks.shift();
      if (!chunk) break;
      this.#bytes -= chunk.length;
      this.#paused = !this.#receiver.onBytes(chunk);
    }
    if (!this.#end || !this.#receiver || this.#paused) return;
    const receiver = this.#receiver;
    this.#receiver = null;
    if (this.#end.failure) receiver.onFailure(this.#end.failure);
    else receiver.onEnd();
  }
}
