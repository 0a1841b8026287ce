import type { Sample } from './parse-metrics.ts';
import type { Scrape } from './read-scrape.ts';

/** Two moments of one gateway, the earlier first. */
export interface Change {
  readonly before: Scrape;
  readonly after: Scrape;
}

/** The value of a histogram below which that part of its measurements lies. */
export interface Quantiles {
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  /** What was measured: between the two moments, or where nothing was, since the gateway's start. */
  readonly of: 'interval' | 'start' | null;
}

type Grouping = (labels: Sample['labels']) => string | null;

/** The sum of a metric's samples; null where the gateway does not tell it. */
export function sumOf({ metrics }: Scrape, name: string): number | null {
  return metrics.get(name)?.reduce((sum, { value }) => sum + value, 0) ?? null;
}

/** The largest of them; null too where there is none. */
export function largestOf({ metrics }: Scrape, name: string): number | null {
  const values = metrics.get(name)?.map(({ value }) => value) ?? [];
  return values.length === 0 ? null : Math.max(...values);
}

/** Sums by what `pick` gives of the labels; it leaves out what it gives null for. */
export function sumBy({ metrics }: Scrape, name: string, pick: Grouping): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { labels, value } of metrics.get(name) ?? []) {
    const group = pick(labels);
    if (group !== null) sums.set(group, (sums.get(group) ?? 0) + value);
  }
  return sums;
}

/** By how much each counter grew in a second; null where the gateway does not tell it. */
export function ratesBy(change: Change, name: string, pick: Grouping): Map<string, number> | null {
  if (!change.after.metrics.has(name)) return null;
  const seconds = Math.max(0.001, (change.after.atMs - change.before.atMs) / 1_000);
  const grown = growth(change, name, pick);
  return new Map([...grown].map(([group, by]) => [group, by / seconds]));
}

/** The rate of all its samples together, or of those whose labels are wanted. */
export function rateOf(change: Change, name: string, pick: Grouping = () => ''): number | null {
  const rates = ratesBy(change, name, pick);
  return rates && [...rates.values()].reduce((sum, rate) => sum + rate, 0);
}

/** A counter that fell is that of a gateway which was started anew: all of it has grown since. */
function growth(
  { before, after }: Change,
  name: string,
  pick: Grouping,
): ReadonlyMap<string, number> {
  const earlier = new Map(before.metrics.get(name)?.map(({ series, value }) => [series, value]));
  const grown = new Map<string, number>();
  for (const { series, labels, value } of after.metrics.get(name) ?? []) {
    const group = pick(labels);
    if (group === null) continue;
    const was = earlier.get(series) ?? 0;
    grown.set(group, (grown.get(group) ?? 0) + (value < was ? value : value - was));
  }
  return grown;
}

/** Of a histogram, over all its labels. */
export function quantilesOf(change: Change, histogram: string): Quantiles {
  const name = `${histogram}_bucket`;
  const byBound: Grouping = ({ le }) => le ?? null;
  const recent = toBuckets(growth(change, name, byBound));
  const all = toBuckets(sumBy(change.after, name, byBound));
  const [of, buckets] =
    countOf(recent) > 0 ? ['interval' as const, recent] : ['start' as const, all];
  if (countOf(buckets) === 0) return { p50_ms: null, p99_ms: null, of: null };
  return { p50_ms: quantile(buckets, 0.5), p99_ms: quantile(buckets, 0.99), of };
}

interface Bucket {
  /** Upper bound in seconds. */
  readonly bound: number;
  /** Measurements up to it. */
  readonly count: number;
}

function toBuckets(sums: ReadonlyMap<string, number>): readonly Bucket[] {
  return [...sums]
    .map(([le, count]) => ({ bound: le === '+Inf' ? Infinity : Number(le), count }))
    .sort((a, b) => a.bound - b.bound);
}

function countOf(buckets: readonly Bucket[]): number {
  return buckets.at(-1)?.count ?? 0;
}

/** As Prometheus does it: even within a bucket, and what is beyond the last bound is at that bound. */
function quantile(buckets: readonly Bucket[], part: number): number {
  const rank = part * countOf(buckets);
  let below: Bucket = { bound: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= rank && bucket.count > below.count) {
      if (bucket.bound === Infinity) break;
      const within = (rank - below.count) / (bucket.count - below.count);
      return Math.round((below.bound + (bucket.bound - below.bound) * within) * 1_000);
    }
    below = bucket;
  }
  return Math.round(below.bound * 1_000);
}
