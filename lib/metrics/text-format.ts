import type { MetricDefinition } from './definitions.ts';

/** The two lines that stand before the series of a metric. */
export function describeMetric(name: string, { help, kind }: MetricDefinition): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`;
}

/**
 * The lines of one series in the text format of Prometheus, but for their numbers: written once, as
 * long as the series lives.
 */
export function writeHeads(
  name: string,
  definition: MetricDefinition,
  labels: readonly string[],
): readonly string[] {
  const pairs = definition.labels.map((label, n) => `${label}="${escape(labels[n] ?? '')}"`);
  const own = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
  if (definition.kind !== 'histogram') return [`${name}${own} `];
  const bounds = [...(definition.buckets ?? []).map(String), '+Inf'];
  return [
    ...bounds.map((bound) => `${name}_bucket{${[...pairs, `le="${bound}"`].join(',')}} `),
    `${name}_sum${own} `,
    `${name}_count${own} `,
  ];
}

/** The numbers that belong to the heads: the buckets of a histogram become cumulative. */
export function writeSeries(heads: readonly string[], values: readonly number[]): string {
  if (heads.length === 1) return `${heads[0] ?? ''}${values[0] ?? 0}\n`;
  const buckets = heads.length - 2;
  let text = '';
  let count = 0;
  for (let n = 0; n < buckets; n += 1) {
    count += values[n] ?? 0;
    text += `${heads[n] ?? ''}${count}\n`;
  }
  return `${text}${heads[buckets] ?? ''}${values[buckets] ?? 0}\n${heads[buckets + 1] ?? ''}${count}\n`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
