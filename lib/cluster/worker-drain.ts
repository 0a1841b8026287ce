import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { GatewayError } from '../errors/gateway-error.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Clock } from '../time/clock.ts';
import { inTime } from '../time/in-time.ts';

export interface DrainParts {
  readonly server: Server;
  readonly clock: Clock;
  /** Ends what still runs, with a word to its client. */
  readonly cutAll: (reason: GatewayError) => void;
}

/** What is still running when the drain's time is up gets so long to be told and settled. */
const LAST_WORDS_MS = 300;
/** What has closed may still be in a thread, or be writing its entry. */
const LOOSE_ENDS_MS = 1_000;
const LOOK_EVERY_MS = 50;
/** In a worker that was replaced, a connection that was told it is kept may wait so long for one more request. */
const IDLE_MS = 3_000;

/** What a client is told that comes, or still waits, when the gateway goes. */
export function refuseDraining(): GatewayError {
  return new GatewayError('draining', 'The gateway is shutting down.', {
    retryAfterMs: 1_000,
    closeConnection: true,
  });
}

/**
 * Everything that a worker is answering now, and its orderly end: no new connections, streams may go
 * on for the grace, what is left is told and cut, and nobody is forgotten who has yet to be settled.
 * Requests that still come on old connections are refused; but if another worker has taken the place
 * of this one, each gets its answer, and with it the word to connect anew.
 */
export class WorkerDrain {
  readonly #parts: DrainParts;
  readonly #answering = new Map<Exchange, Promise<void>>();
  /** Answers whose head had left when the drain began, with the word that the connection is kept. */
  readonly #promised = new Set<Exchange>();
  #cutAtMs = Infinity;
  #idleAtMs = Infinity;
  #cut = false;
  #refuses = false;
  #done: Promise<void> | undefined;

  constructor(parts: DrainParts) {
    this.#parts = parts;
  }

  get begun(): boolean {
    return this.#done !== undefined;
  }

  /** Whether a request that comes now is refused. */
  get refuses(): boolean {
    return this.#refuses;
  }

  /** Follows the answer to a request to its very end, settlement included. */
  async follow(exchange: Exchange, serve: () => Promise<void>): Promise<void> {
    if (this.begun) exchange.response.shouldKeepAlive = false;
    const answer = serve();
    this.#answering.set(exchange, answer);
    try {
      await answer;
    } finally {
      this.#answering.delete(exchange);
      if (this.#promised.delete(exchange)) this.#keepIdle();
    }
  }

  /**
   * Resolves when nothing is answered any more. Called again, the shorter grace counts, and once
   * requests are refused they stay so.
   */
  run(graceMs: number, { replaced = false } = {}): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    this.#cutAtMs = Math.min(this.#cutAtMs, nowMs + graceMs);
    this.#idleAtMs = Math.min(this.#idleAtMs, replaced ? nowMs + IDLE_MS : nowMs);
    if (!replaced) this.#refuses = true;
    this.#done ??= this.#end();
    return this.#done;
  }

  async #end(): Promise<void> {
    const { server } = this.#parts;
    for (const exchange of this.#answering.keys()) {
      const { response } = exchange;
      if (response.headersSent && response.shouldKeepAlive) this.#promised.add(exchange);
      response.shouldKeepAlive = false;
    }
    const closed = new Promise<void>((resolve) => {
      // Only the listener: http's own `close` ends connections too that are idle just now, and looks
      // no more for those that send nothing.
      NetServer.prototype.close.call(server, () => {
        resolve();
      });
    });
    const look = setInterval(() => {
      this.#look();
    }, LOOK_EVERY_MS);
    this.#look();
    await closed;
    clearInterval(look);
    const answers = Promise.allSettled(this.#answering.values());
    await inTime<unknown>(LOOSE_ENDS_MS, answers, () => undefined);
  }

  /** From now on a connection has its time for one more request. */
  #keepIdle(): void {
    this.#idleAtMs = Math.max(this.#idleAtMs, this.#parts.clock.monotonicMs() + IDLE_MS);
  }

  #look(): void {
    const { server, clock, cutAll } = this.#parts;
    const nowMs = clock.monotonicMs();
    const lateMs = nowMs - this.#cutAtMs;
    if (lateMs >= 0 && !this.#cut) {
      this.#cut = true;
      this.#refuses = true;
      cutAll(refuseDraining());
    }
    // A client may take the promise at its word as soon as it has the last byte.
    if (this.#promised.size > 0) this.#keepIdle();
    if (lateMs > LAST_WORDS_MS) server.closeAllConnections();
    else if (this.#refuses || nowMs >= this.#idleAtMs) server.closeIdleConnections();
  }
}
