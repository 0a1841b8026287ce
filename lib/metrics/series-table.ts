import { FLEET_METRICS } from './definitions.ts';
import type { FleetMetric, MetricDefinition } from './definitions.ts';
import type { LabelSet } from './label-set.ts';
import { joinLabels } from './text-format.ts';

/** One series of the fleet: its labels as they are written, and its numbers. */
export interface Series {
  readonly labels: string;
  readonly values: number[];
}

/** The sets that bound labels, by the label's name; other labels are closed by our own code. */
export type LabelBounds = Readonly<Record<string, LabelSet>>;

export const DEFINITIONS: Readonly<Record<FleetMetric, MetricDefinition>> = FLEET_METRICS;

/** The series of one metric, by the values of their labels. */
export class SeriesTable {
  readonly #metric: FleetMetric;
  readonly #bounds: LabelBounds;
  readonly #all = new Map<string, Series>();

  constructor(metric: FleetMetric, bounds: LabelBounds) {
    this.#metric = metric;
    this.#bounds = bounds;
  }

  list(): readonly Series[] {
    return [...this.#all.values()];
  }

  add(labels: readonly string[], added: readonly number[]): void {
    const { values } = this.#find(labels);
    for (const [n, by] of added.entries()) values[n] = (values[n] ?? 0) + by;
  }

  /** Joins the levels of several processes as the metric wants it. */
  joinLevel(labels: readonly string[], level: number): void {
    const { values } = this.#find(labels);
    const [before = 0] = values;
    values[0] = DEFINITIONS[this.#metric].join === 'max' ? Math.max(before, level) : before + level;
  }

  /** Each worker bounds its own labels only: together, and over their lives, they would be any number. */
  #find(labels: readonly string[]): Series {
    const { labels: names } = DEFINITIONS[this.#metric];
    const bounded = labels.map((label, n) => this.#bounds[names[n] ?? '']?.bound(label) ?? label);
    const key = bounded.join('\n');
    let series = this.#all.get(key);
    if (series === undefined) {
      series = { labels: joinLabels(names, bounded), values: [] };
      this.#all.set(key, series);
    }
    return series;
  }
}
