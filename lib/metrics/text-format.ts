import type { MetricDefinition } from './definitions.ts';

/** Writes one series: its labels as `joinLabels` has them, and its numbers. */
export type WriteSeries = (labels: string, values: readonly number[]) => string;

/** The two lines that stand before the series of a metric. */
export function describeMetric(name: string, { help, kind }: MetricDefinition): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`;
}

/** The labels of a series in the text format of Prometheus: written once, as long as it lives. */
export function joinLabels(names: readonly string[], values: readonly string[]): string {
  return names.map((name, n) => `${name}="${escape(values[n] ?? '')}"`).join(',');
}

/** How the series of a metric are written; the buckets of a histogram become cumulative. */
export function makeSeriesWriter(name: string, definition: MetricDefinition): WriteSeries {
  const inBraces = (labels: string): string => (labels === '' ? '' : `{${labels}}`);
  if (definition.kind !== 'histogram') {
    return (labels, [value = 0]) => `${name}${inBraces(labels)} ${value}\n`;
  }
  const bounds = [...(definition.buckets ?? []).map(String), '+Inf'];
  const ends = bounds.map((bound) => `le="${bound}"} `);
  return (labels, values) => {
    const start = labels === '' ? `${name}_bucket{` : `${name}_bucket{${labels},`;
    let text = '';
    let count = 0;
    for (const [n, end] of ends.entries()) {
      count += values[n] ?? 0;
      text += `${start}${end}${count}\n`;
    }
    const own = inBraces(labels);
    return `${text}${name}_sum${own} ${values[ends.length] ?? 0}\n${name}_count${own} ${count}\n`;
  };
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
