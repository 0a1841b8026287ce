import { AggregatorRegistry } from 'prom-client';
import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client';
import { LabelSet } from './label-set.ts';

export interface FleetMetrics {
  /** The newest snapshot of a living worker. What comes after its end was counted, and is refused. */
  take(incarnation: string, snapshot: readonly unknown[]): void;
  /**
   * A worker died: what it counted last is kept for good, so that no counter ever falls, from the
   * moment of the call on. Resolves when it is folded into one with the rest.
   */
  retire(incarnation: string): Promise<void>;
  /** Prometheus text over all workers, dead ones included. Asks nobody. */
  render(): Promise<string>;
}

/** How many tenants and models have labels of their own, over all workers and their lives. */
interface LabelBounds {
  readonly tenants: number;
  readonly models: number;
}

type Metric = MetricObjectWithValues<MetricValue<string>>;
type Snapshot = readonly Metric[];

/** A message of a dead worker is at most as late as the channel is long; so many deaths are longer. */
const REMEMBERED_DEAD = 1_000;

/** Sums the workers' registries in the primary from what they sent; a scrape waits for no worker. */
export function makeFleetMetrics(most: LabelBounds): FleetMetrics {
  const living = new Map<string, Snapshot>();
  const dead = new Set<string>();
  const past: Snapshot[] = [];
  const bounds = { tenant: new LabelSet(most.tenants), model: new LabelSet(most.models) };
  let folding = Promise.resolve();

  const sum = (snapshots: readonly Snapshot[]): Registry =>
    AggregatorRegistry.aggregate(snapshots.map((snapshot) => bound(snapshot, bounds)));

  /** One at a time, and `past` is whole at every moment: it is only exchanged when all is summed. */
  const fold = async (): Promise<void> => {
    const parts = [...past];
    const folded = (await sum(parts).getMetricsAsJSON()) as Snapshot;
    past.splice(0, parts.length, folded);
  };

  return {
    take(incarnation, snapshot) {
      if (!dead.has(incarnation)) living.set(incarnation, snapshot as Snapshot);
    },
    async retire(incarnation) {
      const last = living.get(incarnation);
      living.delete(incarnation);
      remember(dead, incarnation);
      if (last !== undefined) past.push(last.filter(isLasting));
      if (past.length > 1) folding = folding.then(fold);
      await folding;
    },
    render: () => sum([...past, ...living.values()]).metrics(),
  };
}

/** What stands at a level, and does not only grow, ends with its worker. */
function isLasting({ type }: Metric): boolean {
  return String(type) !== 'gauge';
}

function remember(dead: Set<string>, incarnation: string): void {
  dead.add(incarnation);
  for (const oldest of dead) {
    if (dead.size <= REMEMBERED_DEAD) return;
    dead.delete(oldest);
  }
}

/** Each worker bounds its own labels only: together, and over their lives, they would have any number. */
function bound(snapshot: Snapshot, bounds: Readonly<Record<string, LabelSet>>): Metric[] {
  return snapshot.map((metric) => ({
    ...metric,
    values: metric.values.map((value) => ({ ...value, labels: boundLabels(value.labels, bounds) })),
  }));
}

function boundLabels(
  labels: Metric['values'][number]['labels'],
  bounds: Readonly<Record<string, LabelSet>>,
): Metric['values'][number]['labels'] {
  return Object.fromEntries(
    Object.entries(labels).map(([label, value]) => {
      const set = bounds[label];
      return [label, set && value !== undefined ? set.bound(String(value)) : value];
    }),
  );
}
