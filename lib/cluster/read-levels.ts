import type { Readiness } from '../health/readiness.ts';
import type { PrimaryLevels } from '../metrics/primary-levels.ts';
import type { Clock } from '../time/clock.ts';
import type { Duties } from './duties.ts';

/** What of the duties is told. */
export type ToldDuties = Pick<Duties, 'trust' | 'discovery' | 'shards' | 'sweeper' | 'isListening'>;

export interface LevelParts {
  readonly version: string;
  readonly workers: number;
  readonly readiness: Readiness;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly trustLeaseMs: number;
  /** Undefined before they run. */
  readonly duties: ToldDuties | undefined;
  readonly budgets: PrimaryLevels['budgets'];
}

/** What the primary knows at this moment, for a scrape: nobody is asked. */
export function readPrimaryLevels(parts: LevelParts): PrimaryLevels {
  const { readiness, clock, duties } = parts;
  const nowMs = clock.monotonicMs();
  return {
    build: { version: parts.version, node: process.version },
    workers: parts.workers,
    ready: readiness.status === 'pass',
    checks: Object.entries(readiness.checks).map(([check, look]) => {
      return { check, passing: look.status === 'pass', seconds: look.ms / 1_000 };
    }),
    ...readTrust(duties, parts.trustLeaseMs, nowMs),
    upstreams: duties ? readUpstreams(duties, nowMs) : [],
    shards: duties ? readShards(duties, nowMs) : [],
    budgets: parts.budgets,
    sweepAgeSeconds: readSweepAge(duties, nowMs),
  };
}

function readTrust(
  duties: ToldDuties | undefined,
  leaseMs: number,
  nowMs: number,
): Pick<PrimaryLevels, 'trusted' | 'revocationLagSeconds' | 'listening'> {
  const deadlineMs = duties?.trust.state().deadlineMs ?? -Infinity;
  return {
    trusted: nowMs < deadlineMs,
    // The lease began when the changes were asked for.
    revocationLagSeconds: Number.isFinite(deadlineMs)
      ? toSeconds(nowMs - deadlineMs + leaseMs)
      : null,
    listening: duties?.isListening() ?? false,
  };
}

function readUpstreams({ discovery }: ToldDuties, nowMs: number): PrimaryLevels['upstreams'] {
  return discovery.state().upstreams.map(({ url, answering, models, polledAtMs }) => ({
    upstream: url,
    up: answering === true,
    models,
    ageSeconds: polledAtMs === null ? null : toSeconds(nowMs - polledAtMs),
  }));
}

function readShards({ shards }: ToldDuties, nowMs: number): PrimaryLevels['shards'] {
  return shards.state().map(({ shard, owner, ready, waiting, oldestAtMs }) => ({
    ...{ shard, owner, ready, waiting },
    lagSeconds: waiting === null ? null : toSeconds(nowMs - (oldestAtMs ?? nowMs)),
  }));
}

function readSweepAge(duties: ToldDuties | undefined, nowMs: number): number | null {
  const sweptAtMs = duties?.sweeper.sweptAtMs ?? null;
  return sweptAtMs === null ? null : toSeconds(nowMs - sweptAtMs);
}

function toSeconds(ms: number): number {
  return Math.max(0, ms) / 1_000;
}
