import type { Dialect } from '../errors/error-body.ts';
import { isBlockedPath } from './blocked-paths.ts';
import { readModelId } from './model-id.ts';

type OpenRoute = 'root' | 'healthz' | 'readyz' | 'preflight';
type ListingRoute = 'tags' | 'ps' | 'version' | 'show' | 'key' | 'models';
export type InferenceRoute = 'chat' | 'generate' | 'embed' | 'embeddings';

/**
 * What a request line means. Open routes need no key; blocked and unknown ones need one to learn
 * that they are blocked or unknown.
 */
export type Route =
  | { readonly kind: 'open'; readonly name: OpenRoute; readonly dialect: Dialect }
  | { readonly kind: 'listing'; readonly name: ListingRoute; readonly dialect: Dialect }
  | {
      readonly kind: 'listing';
      readonly name: 'model';
      readonly dialect: Dialect;
      /** What the client calls it: decoded, not yet known to be a name. */
      readonly modelId: string;
    }
  | {
      readonly kind: 'inference';
      readonly name: InferenceRoute;
      readonly dialect: Dialect;
      /** The path sent upstream: a constant, never the client's bytes. */
      readonly upstreamPath: string;
    }
  | { readonly kind: 'blocked'; readonly dialect: Dialect }
  | { readonly kind: 'unknown'; readonly dialect: Dialect };

/** Everything that is served (SPEC §2), by method and path exactly as they stand in the request. */
const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['GET /', open('root')],
  ['HEAD /', open('root')],
  ['GET /healthz', open('healthz')],
  ['GET /readyz', open('readyz')],
  ['GET /api/tags', listing('tags')],
  ['HEAD /api/tags', listing('tags')],
  ['GET /api/ps', listing('ps')],
  ['GET /api/version', listing('version')],
  ['HEAD /api/version', listing('version')],
  ['POST /api/show', listing('show')],
  ['GET /api/v1/key', listing('key')],
  ['GET /v1/models', listing('models', 'openai')],
  ['POST /api/chat', inference('chat', '/api/chat')],
  ['POST /api/generate', inference('generate', '/api/generate')],
  ['POST /api/embed', inference('embed', '/api/embed')],
  ['POST /api/embeddings', inference('embeddings', '/api/embeddings')],
  ['POST /v1/chat/completions', inference('chat', '/api/chat', 'openai')],
  ['POST /v1/completions', inference('generate', '/api/generate', 'openai')],
  ['POST /v1/embeddings', inference('embed', '/api/embed', 'openai')],
]);

/** Of no path: what answers a preflight of an origin that may call us (lib/http/cors.ts). */
export const PREFLIGHT: Route = open('preflight');

/** The one path that ends in a value. */
const ONE_MODEL = '/v1/models/';

/**
 * Looks the raw request target up. Nothing is decoded, normalised or rewritten first, so a target
 * in another spelling is simply not in the table; the query string is cut off and never read. Only the
 * id of a model is decoded, after its place in the path was found.
 */
export function matchRoute(method: string, target: string): Route {
  const query = target.indexOf('?');
  const path = query === -1 ? target : target.slice(0, query);
  const route = ROUTES.get(`${method} ${path}`);
  if (route) return route;
  if (method === 'GET' && path.startsWith(ONE_MODEL)) {
    const modelId = readModelId(path.slice(ONE_MODEL.length));
    if (modelId !== undefined)
      return { kind: 'listing', name: 'model', dialect: 'openai', modelId };
  }
  return { kind: isBlockedPath(path) ? 'blocked' : 'unknown', dialect: toDialect(target) };
}

/** Which wire format a client speaks: told by the path alone, even for a refusal of the framing. */
export function toDialect(target: string): Dialect {
  const openai = target.startsWith('/v1') && (target.length === 3 || /[/?]/.test(target.charAt(3)));
  return openai ? 'openai' : 'native';
}

function open(name: OpenRoute): Route {
  return Object.freeze({ kind: 'open', name, dialect: 'native' });
}

function listing(name: ListingRoute, dialect: Dialect = 'native'): Route {
  return Object.freeze({ kind: 'listing', name, dialect });
}

/** `name` is the native route that serves it, whatever the client speaks. */
function inference(name: InferenceRoute, upstreamPath: string, dialect: Dialect = 'native'): Route {
  return Object.freeze({ kind: 'inference', name, dialect, upstreamPath });
}
