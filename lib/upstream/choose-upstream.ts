/** What the choice depends on. */
export interface Load {
  readonly inFlight: number;
}

/**
 * The upstreams to try, in order: fewest requests in flight first, then as configured.
 * `candidates` are positions in `loads`; those that do not exist are left out.
 */
export function orderUpstreams(candidates: readonly number[], loads: readonly Load[]): number[] {
  const known = candidates.filter((position) => loads[position] !== undefined);
  if (known.length < 2) return known;
  const loadOf = (position: number): number => loads[position]?.inFlight ?? 0;
  return known.sort((a, b) => loadOf(a) - loadOf(b) || a - b);
}
