import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dialect } from '../errors/error-body.ts';
import type { Clock } from '../time/clock.ts';
import { makeAdmissionId } from './admission-id.ts';
import type { AddressReader, Peer } from './client-address.ts';
import type { Cors } from './cors.ts';
import type { Exchange } from './exchange.ts';
import { toDialect } from './routes.ts';

interface ExchangeParts {
  readonly clock: Clock;
  readonly addresses: AddressReader;
  readonly peer: Peer;
  /** null: off. */
  readonly cors: Cors | null;
}

const CLIENT_ID = /^[A-Za-z0-9._-]{8,64}$/;

/**
 * One request and its response. What only some steps ask for is made when they ask: a signal
 * costs as much as all the rest together.
 */
export class OpenExchange implements Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly admissionId: string;
  readonly clientRequestId: string | null;
  readonly clientAddress: string;
  readonly dialect: Dialect;
  readonly startedAtMs: number;
  readonly closed: Promise<void>;
  readonly #cors: Cors | null;
  readonly #settleClosed: () => void;
  #abort: AbortController | null = null;
  #cut = false;

  constructor(request: IncomingMessage, response: ServerResponse, parts: ExchangeParts) {
    this.request = request;
    this.response = response;
    this.admissionId = makeAdmissionId(parts.clock);
    this.clientRequestId = readClientId(request);
    const forwardedFor = readHeader(request, 'x-forwarded-for');
    this.clientAddress = parts.addresses.toClient(parts.peer, forwardedFor);
    this.dialect = toDialect(request.url ?? '');
    this.startedAtMs = parts.clock.monotonicMs();
    this.#cors = parts.cors;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.closed = promise;
    this.#settleClosed = () => {
      resolve(undefined);
    };
  }

  get standardHeaders(): readonly string[] {
    const clientsId = this.clientRequestId ?? this.admissionId;
    const id = this.admissionId;
    const own = ['request-id', id, 'x-request-id', clientsId, 'cache-control', 'no-store'];
    return this.#cors === null ? own : [...own, ...this.#cors.listHeaders(this.request)];
  }

  get preflight(): readonly string[] | null {
    return this.#cors === null ? null : this.#cors.readPreflight(this.request);
  }

  get gone(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#cut) this.#abort.abort();
    return this.#abort.signal;
  }

  /** The response left whole, or its connection ended. The first call counts. */
  close(): void {
    if (!this.response.writableFinished) {
      this.#cut = true;
      this.#abort?.abort();
    }
    this.#settleClosed();
  }
}

function readClientId(request: IncomingMessage): string | null {
  const id = readHeader(request, 'x-request-id');
  return id !== undefined && CLIENT_ID.test(id) ? id : null;
}

/** Several headers of one name come joined by commas. */
function readHeader(request: IncomingMessage, name: string): string | undefined {
  return request.headers[name]?.toString();
}
