import type { Server } from 'node:http';
import { GatewayError } from '../errors/gateway-error.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Clock } from '../time/clock.ts';
import { inTime } from '../time/in-time.ts';

export interface DrainParts {
  readonly server: Pick<Server, 'close' | 'closeIdleConnections' | 'closeAllConnections'>;
  readonly clock: Clock;
  /** Ends what still runs, with a word to its client. */
  readonly cutAll: (reason: GatewayError) => void;
}

/** What is still running when the drain's time is up gets so long to be told and settled. */
const LAST_WORDS_MS = 300;
/** What has closed may still be in a thread, or be writing its entry. */
const LOOSE_ENDS_MS = 1_000;
const LOOK_EVERY_MS = 50;

/** What a client is told that comes, or still waits, when the gateway goes. */
export function refuseDraining(): GatewayError {
  return new GatewayError('draining', 'The gateway is shutting down.', {
    retryAfterMs: 1_000,
    closeConnection: true,
  });
}

/**
 * Everything that a worker is answering now, and its orderly end: nothing new, streams may go on
 * for the grace, what is left is told and cut, and nobody is forgotten who has yet to be settled.
 */
export class WorkerDrain {
  readonly #parts: DrainParts;
  readonly #answering = new Map<Exchange, Promise<void>>();
  #cutAtMs = Infinity;
  #cut = false;
  #done: Promise<void> | undefined;

  constructor(parts: DrainParts) {
    this.#parts = parts;
  }

  get begun(): boolean {
    return this.#done !== undefined;
  }

  /** Follows the answer to a request to its very end, settlement included. */
  async follow(exchange: Exchange, answer: Promise<void>): Promise<void> {
    this.#answering.set(exchange, answer);
    try {
      await answer;
    } finally {
      this.#answering.delete(exchange);
    }
  }

  /** Resolves when nothing is answered any more. Called again, the shorter grace counts. */
  run(graceMs: number): Promise<void> {
    this.#cutAtMs = Math.min(this.#cutAtMs, this.#parts.clock.monotonicMs() + graceMs);
    this.#done ??= this.#end();
    return this.#done;
  }

  async #end(): Promise<void> {
    const { server } = this.#parts;
    for (const { response } of this.#answering.keys()) response.shouldKeepAlive = false;
    const look = setInterval(() => {
      this.#look();
    }, LOOK_EVERY_MS);
    this.#look();
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
    clearInterval(look);
    const answers = Promise.allSettled(this.#answering.values());
    await inTime<unknown>(LOOSE_ENDS_MS, answers, () => undefined);
  }

  #look(): void {
    const { server, clock, cutAll } = this.#parts;
    const lateMs = clock.monotonicMs() - this.#cutAtMs;
    if (lateMs >= 0 && !this.#cut) {
      this.#cut = true;
      cutAll(refuseDraining());
    }
    if (lateMs > LAST_WORDS_MS) server.closeAllConnections();
    else server.closeIdleConnections();
  }
}
