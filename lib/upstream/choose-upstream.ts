/** What the choice depends on. */
export interface Load {
  readonly inFlight: number;
}

/**
 * The upstreams to try, in order: fewest requests in flight first, then as configured.
 * `candidates` are positions in `loads`; those that do not exist are left out.
 */
export function orderUpstreams(candidates: readonly number[], loads: readonly Load[]): number[] {
  const known: { position: number; inFlight: number }[] = [];
  for (const position of candidates) {
    const load = loads[position];
    if (load) known.push({ position, inFlight: load.inFlight });
  }
  known.sort((a, b) => a.inFlight - b.inFlight || a.position - b.position);
  return known.map(({ position }) => position);
}
