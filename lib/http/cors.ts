import type { IncomingMessage } from 'node:http';
import { EXPOSED_HEADERS, listAllowedHeaders } from './cors-headers.ts';

/** Names and values in turn. */
type FlatHeaders = readonly string[];

/** What browsers may be told (SPEC §14: NZGW_CORS_ORIGINS). Made once a worker, where it is on. */
export interface Cors {
  /** For every response to what could be read as a request. */
  listHeaders(request: IncomingMessage): FlatHeaders;
  /**
   * What the answer to a preflight of an allowed origin has beside these; null for any other request.
   * It is the same for every path: a preflight needs no key, so it must not tell what there is.
   */
  readPreflight(request: IncomingMessage): FlatHeaders | null;
}

const EVERY_ORIGIN = '*';
const ALLOWED_METHODS = 'GET, POST, HEAD, OPTIONS';
const MAX_AGE_SECONDS = '600';
const EXPOSE: FlatHeaders = ['access-control-expose-headers', EXPOSED_HEADERS.join(', ')];

/** `origins`: as settings hold them, in the spelling in which browsers send them; null: off. */
export function makeCors(origins: readonly string[] | null): Cors | null {
  if (origins === null) return null;
  return origins.includes(EVERY_ORIGIN) ? allowEveryOrigin() : allowOrigins(origins);
}

/**
 * What is the same for everyone is sent to everyone and depends on nothing: no Vary (Fetch, "CORS
 * protocol and HTTP caches").
 */
function allowEveryOrigin(): Cors {
  const headers = ['access-control-allow-origin', EVERY_ORIGIN, ...EXPOSE];
  return {
    listHeaders: () => headers,
    readPreflight: (request) =>
      isPreflight(request) && request.headers.origin !== undefined
        ? listPreflightHeaders(request)
        : null,
  };
}

function allowOrigins(origins: readonly string[]): Cors {
  const others = ['vary', 'Origin'];
  // Our own spelling goes into the answer, never the client's bytes.
  const allowed = new Map<string, FlatHeaders>(
    origins.map((origin) => [
      origin,
      [...others, 'access-control-allow-origin', origin, ...EXPOSE],
    ]),
  );
  const find = ({ headers: { origin } }: IncomingMessage): FlatHeaders | undefined =>
    origin === undefined ? undefined : allowed.get(origin.toLowerCase());
  return {
    listHeaders: (request) => find(request) ?? others,
    readPreflight: (request) =>
      isPreflight(request) && find(request) ? listPreflightHeaders(request) : null,
  };
}

function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

function listPreflightHeaders({ headers }: IncomingMessage): FlatHeaders {
  const asked = listAllowedHeaders(headers['access-control-request-headers'] ?? '');
  return [
    'access-control-allow-methods',
    ALLOWED_METHODS,
    'access-control-max-age',
    MAX_AGE_SECONDS,
    ...(asked.length === 0 ? [] : ['access-control-allow-headers', asked.join(', ')]),
  ];
}
