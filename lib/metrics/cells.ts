import { FLEET_METRICS } from './definitions.ts';
import type { FleetMetric, FleetMetricOf } from './definitions.ts';

/**
 * One series in a report: name, values of its labels, numbers. Of a counter what was added since the
 * last report; of a histogram the same for each bucket alone, +Inf last, and then for the sum; of a
 * gauge its level.
 */
export type Reading = readonly [
  metric: FleetMetric,
  labels: readonly string[],
  values: readonly number[],
];

/** A cached child: to count costs an addition, and nothing is looked up. */
export interface CounterCell {
  inc(by?: number): void;
}

/** As CounterCell, for measurements. */
export interface HistogramCell {
  observe(value: number): void;
}

/** The series of one process, and what changed in them since it was last asked. */
export interface Cells {
  /** Told as zero from the moment it is made. To be kept by whoever counts: it is made anew each time. */
  counter(metric: FleetMetricOf<'counter'>, labels: readonly string[]): CounterCell;
  histogram(metric: FleetMetricOf<'histogram'>, labels: readonly string[]): HistogramCell;
  /**
   * What was counted since it was told last: work for what has changed, not for all there is. Of more
   * than `most` series the rest waits for the next call.
   */
  take(most?: number): Reading[];
}

export function makeCells(): Cells {
  let changed: Cell[] = [];
  const note = (cell: Cell): void => {
    changed.push(cell);
  };
  return {
    counter: (metric, labels) => new Counter(metric, labels, note),
    histogram: (metric, labels) => new Histogram(metric, labels, note),
    take(most = Infinity) {
      const told = changed.slice(0, most);
      changed = changed.slice(told.length);
      return told.map((cell) => cell.take());
    },
  };
}

abstract class Cell {
  readonly #metric: FleetMetric;
  readonly #labels: readonly string[];
  readonly #note: (cell: Cell) => void;
  readonly #size: number;
  #noted = true;
  protected values: number[];

  constructor(
    metric: FleetMetric,
    labels: readonly string[],
    note: (cell: Cell) => void,
    size = 1,
  ) {
    this.#metric = metric;
    this.#labels = labels;
    this.#note = note;
    this.#size = size;
    this.values = new Array<number>(size).fill(0);
    note(this);
  }

  take(): Reading {
    const taken = this.values;
    this.values = new Array<number>(this.#size).fill(0);
    this.#noted = false;
    return [this.#metric, this.#labels, taken];
  }

  protected add(at: number, by: number): void {
    this.values[at] = (this.values[at] ?? 0) + by;
    if (this.#noted) return;
    this.#noted = true;
    this.#note(this);
  }
}

class Counter extends Cell implements CounterCell {
  inc(by = 1): void {
    if (by > 0) this.add(0, by);
  }
}

class Histogram extends Cell implements HistogramCell {
  readonly #buckets: readonly number[];

  constructor(
    metric: FleetMetricOf<'histogram'>,
    labels: readonly string[],
    note: (cell: Cell) => void,
  ) {
    const { buckets } = FLEET_METRICS[metric];
    super(metric, labels, note, buckets.length + 2);
    this.#buckets = buckets;
  }

  observe(value: number): void {
    if (!(value >= 0)) return;
    let at = 0;
    while (at < this.#buckets.length && value > (this.#buckets[at] ?? 0)) at += 1;
    this.add(at, 1);
    this.add(this.#buckets.length + 1, value);
  }
}
