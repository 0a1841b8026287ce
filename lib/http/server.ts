import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Settings } from '../config/settings.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';
import type { Clock } from '../time/clock.ts';
import { makeAdmissionId } from './admission-id.ts';
import { makeAddressReader } from './client-address.ts';
import type { AddressReader } from './client-address.ts';
import { Connection } from './connection.ts';
import { makeCors } from './cors.ts';
import type { Cors } from './cors.ts';
import type { Exchange } from './exchange.ts';
import { OpenExchange } from './open-exchange.ts';
import { toParserRefusal, toRawRefusal } from './raw-refusal.ts';

type ServerSettings = Pick<
  Settings,
  | 'headersTimeoutSeconds'
  | 'bodyTimeoutSeconds'
  | 'keepAliveSeconds'
  | 'trustedProxies'
  | 'corsOrigins'
>;

interface ServerParts {
  readonly settings: ServerSettings;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'error'>;
  /** The life of one request; what it rejects with is a bug, and costs the socket. */
  readonly onExchange: (exchange: Exchange) => Promise<void>;
}

const MAX_HEAD_BYTES = 16_384;
/** read-body.ts ends a slow body itself and in good form; node's own deadline only stands behind it. */
const BODY_DEADLINE_MARGIN_SECONDS = 5;

/** The public listener, not yet listening. Every request becomes an exchange; nothing throws. */
export function makeServer(parts: ServerParts): Server {
  const server = createServer(toOptions(parts.settings));
  const acceptor = new Acceptor(parts);
  // All of them, so that a header beyond a bound cannot vanish: framing.ts counts them itself.
  server.maxHeadersCount = 0;

  const accept = (request: IncomingMessage, response: ServerResponse): void => {
    acceptor.accept(request, response);
  };
  server.on('request', accept);
  server.on('checkContinue', accept);
  server.on('checkExpectation', accept);
  // Without a listener for it, an upgrade comes as a request, which framing.ts refuses.
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', ignore);
    const refusal = new GatewayError('invalid_request', 'CONNECT is not supported');
    endWith(socket, toRawRefusal(refusal, nameless(parts.clock)));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    acceptor.refuseMalformed(error.code, socket);
  });
  return server;
}

function toOptions(settings: ServerSettings): ServerOptions {
  const { headersTimeoutSeconds, bodyTimeoutSeconds, keepAliveSeconds } = settings;
  const deadlineSeconds = bodyTimeoutSeconds + BODY_DEADLINE_MARGIN_SECONDS;
  return {
    headersTimeout: headersTimeoutSeconds * 1_000,
    requestTimeout: Math.max(deadlineSeconds, headersTimeoutSeconds) * 1_000,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: keepAliveSeconds * 1_000,
    maxHeaderSize: MAX_HEAD_BYTES,
    insecureHTTPParser: false,
    joinDuplicateHeaders: false,
    rejectNonStandardBodyWrites: true,
    // framing.ts asks for it, so that its absence is refused in our own shape.
    requireHostHeader: false,
  };
}

class Acceptor {
  readonly #parts: ServerParts;
  readonly #addresses: AddressReader;
  readonly #cors: Cors | null;
  readonly #connections = new WeakMap<Duplex, Connection>();

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#addresses = makeAddressReader(parts.settings.trustedProxies);
    this.#cors = makeCors(parts.settings.corsOrigins);
  }

  accept(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    request.on('error', ignore);
    response.on('error', ignore);
    const connection = this.#toConnection(socket);
    if (connection.unanswered) {
      socket.destroy();
      return;
    }

    const { clock, onExchange, log } = this.#parts;
    const { peer } = connection;
    const exchange = new OpenExchange(request, response, {
      clock,
      peer,
      addresses: this.#addresses,
      cors: this.#cors,
    });
    connection.add(exchange);
    onExchange(exchange).catch((error: unknown) => {
      log.error({ ...describeError(error), id: exchange.admissionId }, 'a request failed unseen');
      socket.destroy();
    });
  }

  /** What the parser refused, or what did not arrive in time. */
  refuseMalformed(code: string | undefined, socket: Duplex): void {
    const connection = this.#connections.get(socket);
    const exchange = connection?.unanswered ?? null;
    const begun = exchange?.response.headersSent === true || connection?.leaving === true;
    if (begun || code === 'ECONNRESET' || !socket.writable) {
      // Not at once: a refusal that was written in this very turn has not left yet.
      setImmediate(() => socket.destroy());
      return;
    }
    const refused = exchange ?? nameless(this.#parts.clock);
    endWith(socket, toRawRefusal(toParserRefusal(code), refused));
  }

  #toConnection(socket: Socket): Connection {
    const known = this.#connections.get(socket);
    if (known) return known;
    const connection = new Connection(socket, this.#addresses.toPeer(socket.remoteAddress));
    this.#connections.set(socket, connection);
    return connection;
  }
}

function nameless(clock: Clock): {
  readonly admissionId: string;
  readonly clientRequestId: null;
  readonly dialect: 'native';
} {
  return { admissionId: makeAdmissionId(clock), clientRequestId: null, dialect: 'native' };
}

function endWith(socket: Duplex, text: string): void {
  socket.end(text, () => {
    socket.destroy();
  });
}

function ignore(): void {
  // The connection ended; whoever waits hears of it by `closed` and `gone`.
}
