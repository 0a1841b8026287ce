import { Counter, Gauge, Registry } from 'prom-client';

/** One shard as the primary sees it at the moment of a scrape. */
interface ShardLevel {
  readonly shard: number;
  readonly owner: boolean;
  readonly ready: boolean;
  /** Events that wait for Postgres; null where this gateway does not own the shard. */
  readonly waiting: number | null;
}

/** What the primary counts itself, beside its workers. Labels come from closed sets. */
export interface PrimaryMetrics {
  /** Events that left a shard's stream for Postgres, rejected ones included. */
  drained(events: number): void;
  /** Events that Postgres will never take as a row. */
  rejected(events: number): void;
  /** Holds that were ended without a settlement. */
  reaped(cause: 'lapsed' | 'exited', holds: number): void;
  /** A counter in Redis was not what ledger, stream and live holds add up to. */
  drifted(part: 'spent' | 'held', direction: 'high' | 'low'): void;
  /** Prometheus text, with the shards as they are now. */
  render(shards: readonly ShardLevel[]): Promise<string>;
}

export function makePrimaryMetrics(): PrimaryMetrics {
  const registry = new Registry();
  const registers = [registry];
  const drained = new Counter({
    name: 'gateway_audit_drained_total',
    help: 'Entries that were moved from Redis to Postgres, rejected ones included.',
    registers,
  });
  const rejected = new Counter({
    name: 'gateway_audit_rejected_total',
    help: 'Entries that Postgres refused and that were put aside.',
    registers,
  });
  const reaped = new Counter({
    name: 'gateway_holds_reaped_total',
    help: 'Holds that were ended without a settlement: their lease had lapsed, or their worker ended.',
    labelNames: ['cause'] as const,
    registers,
  });
  const drift = new Counter({
    name: 'gateway_budget_drift_total',
    help: 'Budget counters that were wrong, too high or too low, and were set right.',
    labelNames: ['part', 'direction'] as const,
    registers,
  });
  for (const cause of ['lapsed', 'exited']) reaped.inc({ cause }, 0);
  for (const part of ['spent', 'held']) {
    for (const direction of ['high', 'low']) drift.inc({ part, direction }, 0);
  }

  const setLevels = makeLevels(registry);
  return {
    drained: (events) => {
      drained.inc(events);
    },
    rejected: (events) => {
      rejected.inc(events);
    },
    reaped: (cause, holds) => {
      reaped.inc({ cause }, holds);
    },
    drifted: (part, direction) => {
      drift.inc({ part, direction });
    },
    render: (shards) => {
      setLevels(shards);
      return registry.metrics();
    },
  };
}

/** What stands at a level: told anew at each scrape. */
function makeLevels(registry: Registry): (shards: readonly ShardLevel[]) => void {
  const registers = [registry];
  const labelNames = ['shard'] as const;
  const waiting = new Gauge({
    name: 'gateway_audit_stream_length',
    help: 'Entries that wait in Redis for Postgres, told by the owner of the shard.',
    labelNames,
    registers,
  });
  const owned = new Gauge({
    name: 'gateway_shard_owned',
    help: '1 where this gateway is the owner of the shard.',
    labelNames,
    registers,
  });
  const ready = new Gauge({
    name: 'gateway_shard_ready',
    help: '1 where Redis admits requests of the shard.',
    labelNames,
    registers,
  });

  return (shards) => {
    waiting.reset();
    for (const level of shards) {
      const { shard } = level;
      if (level.waiting !== null) waiting.set({ shard }, level.waiting);
      owned.set({ shard }, level.owner ? 1 : 0);
      ready.set({ shard }, level.ready ? 1 : 0);
    }
  };
}
