import type { Socket } from 'node:net';
import type { Peer } from './client-address.ts';
import type { OpenExchange } from './open-exchange.ts';

/**
 * What the server knows of one socket: who is there, and which exchanges on it have not closed.
 * Node runs pipelined requests at once, so one socket could hold many slots while it reads
 * nothing; a request that comes before the response to the one before it has been ended costs the
 * socket (SPEC §2.1).
 */
export class Connection {
  readonly peer: Peer;
  readonly #open = new Set<OpenExchange>();
  #latest: OpenExchange | null = null;

  constructor(socket: Socket, peer: Peer) {
    this.peer = peer;
    // A response that waits behind another one has no socket yet and hears nothing of its end.
    socket.once('close', () => {
      for (const exchange of this.#open) exchange.close();
      this.#open.clear();
      this.#latest = null;
    });
  }

  /** The exchange whose response has not been ended yet, if there is one. */
  get unanswered(): OpenExchange | null {
    return this.#latest?.response.writableEnded === false ? this.#latest : null;
  }

  /** Responses that have been ended, but not all of whose bytes have left. */
  get leaving(): boolean {
    return this.#open.size > (this.unanswered ? 1 : 0);
  }

  add(exchange: OpenExchange): void {
    this.#latest = exchange;
    this.#open.add(exchange);
    exchange.response.once('close', () => {
      exchange.close();
      this.#open.delete(exchange);
    });
  }
}
