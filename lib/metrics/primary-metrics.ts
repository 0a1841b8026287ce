import { collectDefaultMetrics, Counter, Registry } from 'prom-client';
import { makeLevels } from './primary-levels.ts';
import type { PrimaryLevels } from './primary-levels.ts';

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
  /** A worker has ended that nobody had told to. */
  workerDied(): void;
  /** Prometheus text, with the levels as they are now. */
  render(levels: PrimaryLevels): Promise<string>;
}

export function makePrimaryMetrics(): PrimaryMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
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
  const died = new Counter({
    name: 'gateway_worker_restarts_total',
    help: 'Workers that ended by themselves, were killed or hung, and so were started again.',
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
    workerDied: () => {
      died.inc();
    },
    render: (levels) => {
      setLevels(levels);
      return registry.metrics();
    },
  };
}
