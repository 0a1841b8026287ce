import type { FleetMetrics } from '../../lib/metrics/fleet-metrics.ts';

/** One family of a scrape, as its # TYPE line names it. */
export interface MetricFamily {
  readonly type: string;
  readonly help: string;
  /** Values by the whole series, with suffix and labels as they were written. */
  readonly series: ReadonlyMap<string, number>;
  /** Names of labels of any of its series, without `le` and `quantile`; sorted. */
  readonly labels: readonly string[];
}

export type Scrape = ReadonlyMap<string, MetricFamily>;

/** Reads the metrics of a gateway. @throws Error where the answer is not 200, or no text of Prometheus */
export async function scrape(adminUrl: string, withinMs = 2_000): Promise<Scrape> {
  const signal = AbortSignal.timeout(withinMs);
  const response = await fetch(`${adminUrl}/metrics`, { signal });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} of /metrics`);
  return parseMetrics(text);
}

/** The whole text of a fleet's metrics. */
export async function readAll(fleet: Pick<FleetMetrics, 'render'>): Promise<string> {
  let text = '';
  for await (const part of fleet.render()) text += part;
  return text;
}

/** @throws Error for a line that belongs to no family, or that stands twice */
export function parseMetrics(text: string): Scrape {
  const families = new Map<string, MetricFamily>();
  for (const block of text.split(/^(?=# HELP )/m).filter((part) => part !== '')) {
    const [described = '', typed = '', ...lines] = block.split('\n');
    const [, name = '', help = ''] = /^# HELP (\S+) (.*)$/.exec(described) ?? [];
    const [, type = ''] = /^# TYPE \S+ (\w+)$/.exec(typed) ?? [];
    if (name === '' || type === '' || families.has(name)) throw new Error(`not a family: ${block}`);
    const series = readSeries(name, lines);
    families.set(name, { type, help, series, labels: readLabels(series) });
  }
  return families;
}

function readSeries(name: string, lines: readonly string[]): ReadonlyMap<string, number> {
  const series = new Map<string, number>();
  for (const line of lines.filter((one) => one !== '')) {
    const at = line.lastIndexOf(' ');
    const whole = line.slice(0, at);
    if (!line.startsWith(name) || series.has(whole)) throw new Error(`out of place: ${line}`);
    series.set(whole, toNumber(line.slice(at + 1)));
  }
  return series;
}

function toNumber(text: string): number {
  return text === '+Inf' ? Infinity : Number(text);
}

function readLabels(series: ReadonlyMap<string, number>): readonly string[] {
  const names = [...series.keys()].flatMap((one) =>
    [...one.matchAll(/[{,](\w+)="/g)].map(([, label = '']) => label),
  );
  return [...new Set(names)].filter((label) => !['le', 'quantile'].includes(label)).sort();
}
