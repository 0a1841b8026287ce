import type { Dialect } from '../errors/error-body.ts';

export type OpenRoute = 'root' | 'healthz' | 'readyz';
export type ListingRoute = 'tags' | 'ps' | 'version' | 'show';
export type InferenceRoute = 'chat' | 'generate' | 'embed' | 'embeddings';

/**
 * What a request line means. Open routes need no key; blocked and unknown ones need one to learn
 * that they are blocked or unknown.
 */
export type Route =
  | { readonly kind: 'open'; readonly name: OpenRoute; readonly dialect: Dialect }
  | { readonly kind: 'listing'; readonly name: ListingRoute; readonly dialect: Dialect }
  | {
      readonly kind: 'inference';
      readonly name: InferenceRoute;
      readonly dialect: Dialect;
      /** The path sent upstream: a constant, never the client's bytes. */
      readonly upstreamPath: string;
    }
  | { readonly kind: 'blocked'; readonly dialect: Dialect }
  | { readonly kind: 'unknown'; readonly dialect: Dialect };
