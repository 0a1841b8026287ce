import type { BreakerState } from './breaker.ts';

/** What the choice depends on. */
export interface Choice {
  readonly connections: { readonly inFlight: number };
  readonly breaker: { state(): BreakerState };
}

/**
 * The upstreams to try, in order: fewest requests in flight first, then as they are given (the order
 * of the settings). One that is half open comes before all: otherwise it would never be probed while
 * a healthy one has nothing to do, and never come back. It takes a single request, and where it cannot
 * be reached that moves on to the next.
 */
export function orderUpstreams<T extends Choice>(upstreams: readonly T[]): T[] {
  return upstreams
    .map((upstream) => ({ upstream, isProbe: upstream.breaker.state() === 'half_open' }))
    .sort(
      (a, b) =>
        Number(b.isProbe) - Number(a.isProbe) ||
        a.upstream.connections.inFlight - b.upstream.connections.inFlight,
    )
    .map(({ upstream }) => upstream);
}
