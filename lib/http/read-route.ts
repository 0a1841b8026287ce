import type { Dialect } from '../errors/error-body.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import type { Exchange } from './exchange.ts';
import { checkFraming } from './framing.ts';
import { matchRoute, PREFLIGHT } from './routes.ts';
import type { Route } from './routes.ts';

type ClosedRoute = Extract<Route, { kind: 'blocked' | 'unknown' }>;

/**
 * The first half of step 1 (SPEC §2, §2.1): framing, then the request line. A browser's preflight is
 * known by its headers, whatever it asks for. @throws GatewayError
 */
export function readRoute(exchange: Exchange): Route {
  const { request } = exchange;
  checkFraming(request);
  if (exchange.preflight) return PREFLIGHT;
  return matchRoute(request.method ?? '', request.url ?? '');
}

const SUPPORTED: Readonly<Record<Dialect, string>> = {
  native:
    '/api/chat, /api/generate, /api/embed, /api/embeddings, /api/tags, /api/ps, /api/show, /api/version',
  openai: '/v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models',
};

/** What a known key is told of a route that is not there, or not for it. */
export function toRouteRefusal({ kind, dialect }: ClosedRoute): GatewayError {
  return kind === 'blocked'
    ? new GatewayError('endpoint_blocked', 'This endpoint is blocked by the gateway')
    : new GatewayError('not_found', `No such route. Supported: ${SUPPORTED[dialect]}`);
}
