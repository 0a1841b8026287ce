import type { Reading } from './cells.ts';
import type { FleetMetric } from './definitions.ts';
import { LabelSet } from './label-set.ts';
import { DEFINITIONS, SeriesTable } from './series-table.ts';
import type { LabelBounds, Series } from './series-table.ts';
import { describeMetric, makeSeriesWriter } from './text-format.ts';
import type { WriteSeries } from './text-format.ts';

/** A message of a dead worker is at most as late as the channel is long; so many deaths are longer. */
const REMEMBERED_DEAD = 1_000;
/** Series that are written before others may run: about a millisecond of work. */
const SERIES_AT_ONCE = 250;

const NAMES = Object.keys(DEFINITIONS) as FleetMetric[];
const WRITERS: ReadonlyMap<FleetMetric, WriteSeries> = new Map(
  NAMES.map((name) => [name, makeSeriesWriter(name, DEFINITIONS[name])]),
);

/**
 * Adds up in the primary what its processes sent; a scrape waits for no worker. A report costs what has
 * changed, and a scrape is written in slices: the loop that keeps the trust lease is never held up.
 */
export class FleetMetrics {
  readonly #bounds: LabelBounds;
  readonly #counted: ReadonlyMap<FleetMetric, SeriesTable>;
  readonly #levels = new Map<string, readonly Reading[]>();
  readonly #dead = new Set<string>();

  /** `most`: tenants and models with labels of their own, over all workers and their lives. */
  constructor(most: { readonly tenants: number; readonly models: number }) {
    const bounds = { tenant: new LabelSet(most.tenants), model: new LabelSet(most.models) };
    this.#bounds = bounds;
    this.#counted = new Map(NAMES.map((name) => [name, new SeriesTable(name, bounds)]));
  }

  /**
   * What a process has counted since its last report, and its levels now, which replace the last. What
   * it had sent before its end counts however late it comes.
   */
  take(incarnation: string, readings: readonly Reading[]): void {
    const levels: Reading[] = [];
    for (const reading of readings) {
      const [metric, labels, added] = reading;
      const table = this.#counted.get(metric);
      if (table === undefined) continue;
      if (DEFINITIONS[metric].kind === 'gauge') levels.push(reading);
      else table.add(labels, added);
    }
    if (!this.#dead.has(incarnation)) this.#levels.set(incarnation, levels);
  }

  /** A worker died: its levels end with it. What it counted stays, so that no counter ever falls. */
  retire(incarnation: string): void {
    this.#levels.delete(incarnation);
    this.#dead.add(incarnation);
    for (const oldest of this.#dead) {
      if (this.#dead.size <= REMEMBERED_DEAD) return;
      this.#dead.delete(oldest);
    }
  }

  /**
   * Prometheus text over all processes, dead ones included, in parts: thirty megabytes in one would take
   * a tenth of a second to be joined. Asks nobody, and lets others run between two parts.
   */
  async *render(): AsyncGenerator<string, void> {
    for (const name of NAMES) {
      const definition = DEFINITIONS[name];
      const table = definition.kind === 'gauge' ? this.#joinLevels(name) : this.#counted.get(name);
      const all = table?.list() ?? [];
      yield describeMetric(name, definition);
      for (let from = 0; from < all.length; from += SERIES_AT_ONCE) {
        if (from > 0) await letOthersRun();
        yield writeSome(name, all.slice(from, from + SERIES_AT_ONCE));
      }
    }
  }

  #joinLevels(metric: FleetMetric): SeriesTable {
    const joined = new SeriesTable(metric, this.#bounds);
    for (const readings of this.#levels.values()) {
      for (const [name, labels, [level = 0]] of readings) {
        if (name === metric) joined.joinLevel(labels, level);
      }
    }
    return joined;
  }
}

function writeSome(name: FleetMetric, some: readonly Series[]): string {
  const write = WRITERS.get(name);
  return write ? some.map(({ labels, values }) => write(labels, values)).join('') : '';
}

function letOthersRun(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
