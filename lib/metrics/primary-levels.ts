import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** One shard as the primary sees it at the moment of a scrape. */
export interface ShardLevel {
  readonly shard: number;
  readonly owner: boolean;
  readonly ready: boolean;
  /** Events that wait for Postgres; null where this gateway does not own the shard. */
  readonly waiting: number | null;
  /** How long the oldest of them waits; null as for `waiting`. */
  readonly lagSeconds: number | null;
}

/** One upstream as discovery sees it. */
export interface UpstreamLevel {
  readonly upstream: string;
  readonly up: boolean;
  readonly models: number;
  /** Of what is known of its models; null before it was known. */
  readonly ageSeconds: number | null;
}

/** Which parts of its budget a tenant has spent and holds: 1 is all of it. */
export interface BudgetLevel {
  readonly tenant: string;
  readonly period: 'day' | 'month' | 'total';
  readonly spentRatio: number;
  readonly heldRatio: number;
}

/** What the primary knows at the moment of a scrape. */
export interface PrimaryLevels {
  readonly build: { readonly version: string; readonly node: string };
  /** Workers that listen. */
  readonly workers: number;
  readonly ready: boolean;
  readonly checks: readonly {
    readonly check: string;
    readonly passing: boolean;
    readonly seconds: number;
  }[];
  /** The directory of keys is believed. */
  readonly trusted: boolean;
  /** How old what is known of revocations may be; null before it was read. */
  readonly revocationLagSeconds: number | null;
  /** Notices of changes are heard. */
  readonly listening: boolean;
  readonly upstreams: readonly UpstreamLevel[];
  readonly shards: readonly ShardLevel[];
  readonly budgets: readonly BudgetLevel[];
  /** Since the last whole sweep, by whichever host; null where none is known of. */
  readonly sweepAgeSeconds: number | null;
}

/** What stands at a level: told anew at each scrape, and what is not known is not told. */
export function makeLevels(registry: Registry): (levels: PrimaryLevels) => void {
  const gauge = (name: string, help: string, labelNames: readonly string[] = []): Gauge =>
    new Gauge({
      name: `gateway_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [registry],
    });
  const build = gauge('build_info', 'Always 1.', ['version', 'node']);
  const workers = gauge('workers', 'Workers that listen.');
  const ready = gauge('ready', '1 while /readyz answers 200.');
  const passing = gauge('check_passing', '1 while a check of /readyz passes.', ['check']);
  const took = gauge('check_seconds', 'How long its last look took.', ['check']);
  const trusted = gauge('trust_valid', '1 while the directory of keys is believed.');
  const lag = gauge(
    'revocation_lag_seconds',
    'Since the changes of keys were read last: a revocation is known at the latest so late.',
  );
  const listening = gauge('listen_connected', '1 while notices of changes are heard.');
  const up = gauge('upstream_up', '1 where the last poll of an upstream succeeded.', ['upstream']);
  const models = gauge('upstream_models', 'Models that it offers.', ['upstream']);
  const age = gauge('discovery_age_seconds', 'Since its models were read last.', ['upstream']);
  const used = gauge(
    'budget_used_ratio',
    'Which part of a tenant’s budget is spent or held, told by the owner of its shard.',
    ['tenant', 'period', 'part'],
  );
  const swept = gauge(
    'sweep_age_seconds',
    'Since what is beyond its retention was deleted last, by whichever gateway.',
  );
  const setShards = makeShardLevels(gauge);

  return (levels) => {
    for (const one of [passing, took, lag, up, models, age, used]) one.reset();
    build.set({ ...levels.build }, 1);
    workers.set(levels.workers);
    ready.set(Number(levels.ready));
    for (const { check, ...looked } of levels.checks) {
      passing.set({ check }, Number(looked.passing));
      took.set({ check }, looked.seconds);
    }
    trusted.set(Number(levels.trusted));
    // Without a value a gauge without labels is 0: too old is what was never read.
    lag.set(levels.revocationLagSeconds ?? Infinity);
    listening.set(Number(levels.listening));
    for (const { upstream, ...polled } of levels.upstreams) {
      up.set({ upstream }, Number(polled.up));
      models.set({ upstream }, polled.models);
      if (polled.ageSeconds !== null) age.set({ upstream }, polled.ageSeconds);
    }
    for (const { tenant, period, spentRatio, heldRatio } of levels.budgets) {
      used.set({ tenant, period, part: 'spent' }, spentRatio);
      used.set({ tenant, period, part: 'held' }, heldRatio);
    }
    swept.set(levels.sweepAgeSeconds ?? Infinity);
    setShards(levels.shards);
  };
}

function makeShardLevels(
  gauge: (name: string, help: string, labelNames: readonly string[]) => Gauge,
): (shards: readonly ShardLevel[]) => void {
  const labels = ['shard'];
  const waiting = gauge(
    'audit_stream_length',
    'Entries that wait in Redis for Postgres, told by the owner of the shard.',
    labels,
  );
  const lag = gauge(
    'audit_lag_seconds',
    'How long the oldest entry waits for Postgres, told by the owner of the shard.',
    labels,
  );
  const owned = gauge('shard_owned', '1 where this gateway is the owner of the shard.', labels);
  const ready = gauge('shard_ready', '1 where Redis admits requests of the shard.', labels);

  return (shards) => {
    waiting.reset();
    lag.reset();
    for (const level of shards) {
      const { shard } = level;
      if (level.waiting !== null) waiting.set({ shard }, level.waiting);
      if (level.lagSeconds !== null) lag.set({ shard }, level.lagSeconds);
      owned.set({ shard }, level.owner ? 1 : 0);
      ready.set({ shard }, level.ready ? 1 : 0);
    }
  };
}
