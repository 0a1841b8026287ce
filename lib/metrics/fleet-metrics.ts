import type { Reading } from './cells.ts';
import type { FleetMetric } from './definitions.ts';
import { LabelSet } from './label-set.ts';
import { DEFINITIONS, SeriesTable } from './series-table.ts';
import type { LabelBounds } from './series-table.ts';
import { describeMetric, writeSeries } from './text-format.ts';

/** A message of a dead worker is at most as late as the channel is long; so many deaths are longer. */
const REMEMBERED_DEAD = 1_000;
/** Series that are written before others may run: about a millisecond of work. */
const SERIES_AT_ONCE = 500;

const NAMES = Object.keys(DEFINITIONS) as FleetMetric[];

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

  /** Prometheus text over all processes, dead ones included. Asks nobody, and lets others run. */
  async render(): Promise<string> {
    const parts: string[] = [];
    for (const name of NAMES) {
      const definition = DEFINITIONS[name];
      const table = definition.kind === 'gauge' ? this.#joinLevels(name) : this.#counted.get(name);
      parts.push(describeMetric(name, definition));
      for (const [n, { heads, values }] of (table?.list() ?? []).entries()) {
        if (n > 0 && n % SERIES_AT_ONCE === 0) await letOthersRun();
        parts.push(writeSeries(heads, values));
      }
    }
    return parts.join('');
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

function letOthersRun(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
