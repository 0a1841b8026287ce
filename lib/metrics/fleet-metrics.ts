import { AggregatorRegistry } from 'prom-client';
import type { Registry } from 'prom-client';

export interface FleetMetrics {
  /** The newest snapshot of a living worker. */
  take(incarnation: string, snapshot: readonly unknown[]): void;
  /** A worker died: what it counted last is kept for good, so that no counter ever falls. */
  retire(incarnation: string): Promise<void>;
  /** Prometheus text over all workers, dead ones included. Asks nobody. */
  render(): Promise<string>;
}

/** Sums the workers' registries in the primary from what they sent; a scrape waits for no worker. */
export function makeFleetMetrics(): FleetMetrics {
  const living = new Map<string, readonly unknown[]>();
  let past: readonly unknown[] = [];

  return {
    take: (incarnation, snapshot) => {
      living.set(incarnation, snapshot);
    },
    async retire(incarnation) {
      const last = living.get(incarnation);
      if (!living.delete(incarnation) || last === undefined) return;
      past = await sum([past, last]).getMetricsAsJSON();
    },
    render: () => sum([past, ...living.values()]).metrics(),
  };
}

function sum(snapshots: readonly (readonly unknown[])[]): Registry {
  const filled = snapshots.filter((snapshot) => snapshot.length > 0);
  return AggregatorRegistry.aggregate([...filled]);
}
