import type { PrimaryMetrics } from '../metrics/primary-metrics.ts';

/** What the work on the shards is counted by. */
export type ShardCounts = Pick<PrimaryMetrics, 'drained' | 'rejected' | 'reaped' | 'drifted'>;
