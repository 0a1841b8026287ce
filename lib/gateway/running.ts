import type { Principal } from '../auth/principal.ts';
import type { GatewayError } from '../errors/gateway-error.ts';
import type { Exchange } from '../http/exchange.ts';
import type { ReplyReceiver, UpstreamReply } from '../upstream/reply.ts';
import type { Tally } from '../upstream/tally.ts';

/** A client gets so long to take what it is told when its key has ended. */
export const LAST_WORDS_MS = 300;

type OpenExchange = Pick<Exchange, 'response' | 'gone' | 'closed'>;

/** Whose request it is, and where it is noted that it was cut. */
export interface RunningFacts {
  readonly principal: Principal;
  readonly tally: Tally;
}

/**
 * One admitted request while it runs. Whoever must end it (a drain's deadline, a revocation)
 * cuts it: the upstream is destroyed, and the client is told why in the way that fits the moment.
 * A reader that does not take it in time is not waited for.
 */
export class RunningRequest {
  readonly #exchange: OpenExchange;
  readonly #facts: RunningFacts;
  readonly #upstream = new AbortController();
  #reply: UpstreamReply | undefined;
  #receiver: ReplyReceiver | undefined;
  #reason: GatewayError | undefined;
  #lastWords: NodeJS.Timeout | undefined;

  constructor(exchange: OpenExchange, facts: RunningFacts) {
    this.#exchange = exchange;
    this.#facts = facts;
  }

  get principal(): Principal {
    return this.#facts.principal;
  }

  /** Fires when nobody waits for the upstream any more: the client left, or we cut. */
  get signal(): AbortSignal {
    return this.#upstream.signal;
  }

  /** Why it was cut, if it was. */
  get reason(): GatewayError | undefined {
    return this.#reason;
  }

  noteClientGone(): void {
    this.#upstream.abort();
  }

  /** Its connection has closed. */
  noteClosed(): void {
    clearTimeout(this.#lastWords);
  }

  /** Cuts it, and ends its connection however slowly its client reads (SPEC §10). */
  end(reason: GatewayError): void {
    if (this.#reason) return;
    this.cut(reason);
    this.#lastWords = setTimeout(() => {
      this.#endConnection(reason);
    }, LAST_WORDS_MS).unref();
  }

  /** Whoever cuts it ends its connection too. */
  cut(reason: GatewayError): void {
    if (this.#reason) return;
    this.#reason = reason;
    const { tally } = this.#facts;
    // What had ended by itself, or whose client had left, was not ended by this.
    if (tally.outcome === null && !this.#upstream.signal.aborted) tally.cutFor = reason.code;
    if (this.#reply && this.#receiver) {
      this.#reply.abort();
      this.#receiver.onFailure(reason);
    } else {
      this.#upstream.abort();
    }
  }

  /** By a reset: what waits in buffers, the system's too, is not sent any more. */
  #endConnection({ code }: GatewayError): void {
    const { tally } = this.#facts;
    // It was done but for what its client had yet to read.
    if (tally.outcome === 'ok' || tally.outcome === 'upstream_incomplete') {
      tally.outcome = 'upstream_error';
      tally.cutFor = code;
    }
    const { response } = this.#exchange;
    if (response.socket) response.socket.resetAndDestroy();
    else response.destroy();
  }

  /** The same reply, which ends as a failure when the request is cut. */
  follow(reply: UpstreamReply): UpstreamReply {
    this.#reply = reply;
    return {
      receive: (receiver) => {
        this.#receiver = receiver;
        if (this.#reason) {
          reply.abort();
          receiver.onFailure(this.#reason);
        } else {
          reply.receive(receiver);
        }
      },
      resume: () => {
        reply.resume();
      },
      abort: () => {
        reply.abort();
      },
    };
  }
}

/** All admitted requests of a worker. */
export class Running {
  readonly #requests = new Set<RunningRequest>();
  #cutForAll: GatewayError | undefined;

  get size(): number {
    return this.#requests.size;
  }

  /** Follows a request from its admission until its connection closed. */
  begin(exchange: OpenExchange, facts: RunningFacts): RunningRequest {
    const { gone, closed } = exchange;
    const request = new RunningRequest(exchange, facts);
    this.#requests.add(request);
    const leave = (): void => {
      request.noteClientGone();
    };
    // First: where all are cut, connections of those who wait for an admission are closed as well.
    if (this.#cutForAll) request.cut(this.#cutForAll);
    if (gone.aborted) leave();
    else gone.addEventListener('abort', leave, { once: true });
    void closed.then(() => {
      gone.removeEventListener('abort', leave);
      request.noteClosed();
      this.#requests.delete(request);
    });
    return request;
  }

  /** Ends each of them for which there is a reason. */
  endEach(findReason: (request: RunningRequest) => GatewayError | undefined): void {
    for (const request of this.#requests) {
      const reason = findReason(request);
      if (reason) request.end(reason);
    }
  }

  /** For good: whoever was on the way to the upstream meanwhile is cut when it gets there. */
  cutAll(reason: GatewayError): void {
    this.#cutForAll = reason;
    for (const request of this.#requests) request.cut(reason);
  }
}
