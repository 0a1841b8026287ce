import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { GatewayError } from '../../lib/errors/gateway-error.ts';
import type { Call } from '../../lib/http/call.ts';
import type { Exchange } from '../../lib/http/exchange.ts';
import { CallReader } from '../../lib/http/read-call.ts';
import type { CallReaderParts } from '../../lib/http/read-call.ts';
import { readRoute, toRouteRefusal } from '../../lib/http/read-route.ts';
import { sendEmpty, sendJson, sendRefusal, sendText } from '../../lib/http/reply.ts';
import type { Route } from '../../lib/http/routes.ts';
import { makeServer } from '../../lib/http/server.ts';
import type { LogFields } from '../../lib/log/logger.ts';
import type { ThreadPool } from '../../lib/threads/thread-pool.ts';
import { systemClock } from '../../lib/time/clock.ts';

export interface FrontOptions {
  readonly settings?: Partial<CallReaderParts['settings']> & {
    readonly headersTimeoutSeconds?: number;
    readonly trustedProxies?: readonly string[];
    readonly corsOrigins?: readonly string[];
  };
  readonly pool?: Pick<ThreadPool, 'run'>;
  /** Whose share of the memory for bodies a request has; all have one owner's if it is not told. */
  readonly readOwnerId?: (exchange: Exchange) => string;
  /** Instead of the first step as it is served. */
  readonly onExchange?: (exchange: Exchange, front: Front) => Promise<void>;
}

/** The first step of the gateway on a free port, with nothing behind it. */
export interface Front {
  readonly port: number;
  readonly reader: CallReader;
  readonly readOwnerId: (exchange: Exchange) => string;
  readonly exchanges: Exchange[];
  readonly routes: Route[];
  readonly calls: Call[];
  readonly refusals: GatewayError[];
  readonly logged: LogFields[];
  close(): Promise<void>;
}

const DEFAULTS = {
  headersTimeoutSeconds: 10,
  bodyTimeoutSeconds: 10,
  keepAliveSeconds: 5,
  trustedProxies: ['127.0.0.0/8', '::1'],
  corsOrigins: null,
  maxBodyBytes: 1_048_576,
  bodyMemoryBytes: 4_194_304,
  bodyThreadBytes: 262_144,
};

const noPool: Pick<ThreadPool, 'run'> = {
  run: () => Promise.reject(new Error('no thread here')),
};

export async function openFront(options: FrontOptions = {}): Promise<Front> {
  const settings = { ...DEFAULTS, ...options.settings };
  const logged: LogFields[] = [];
  const server = makeServer({
    settings,
    clock: systemClock,
    log: { error: (fields) => logged.push(fields) },
    onExchange: (exchange) => {
      front.exchanges.push(exchange);
      return (options.onExchange ?? serveFirstStep)(exchange, front);
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const front: Front = {
    port: (server.address() as AddressInfo).port,
    reader: new CallReader({ settings, pool: options.pool ?? noPool, clock: systemClock }),
    readOwnerId: options.readOwnerId ?? (() => 'acme'),
    exchanges: [],
    routes: [],
    calls: [],
    refusals: [],
    logged,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return front;
}

async function serveFirstStep(exchange: Exchange, front: Front): Promise<void> {
  try {
    const route = readRoute(exchange);
    front.routes.push(route);
    await answer(exchange, route, front);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    front.refusals.push(error);
    sendRefusal(exchange, error);
  }
}

async function answer(exchange: Exchange, route: Route, front: Front): Promise<void> {
  if (route.kind === 'blocked' || route.kind === 'unknown') throw toRouteRefusal(route);
  if (route.kind === 'inference') {
    const call = await front.reader.readCall(exchange, route.name, front.readOwnerId(exchange));
    front.calls.push(call);
    sendJson(exchange, 200, { model: call.model });
  } else if (route.name === 'show') {
    sendJson(exchange, 200, await front.reader.readShow(exchange, front.readOwnerId(exchange)));
  } else if (route.name === 'preflight') {
    sendEmpty(exchange, exchange.preflight ?? []);
  } else {
    sendText(exchange, 200, route.name);
  }
}
