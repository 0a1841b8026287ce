import { expect } from 'chai';
import type { PrimaryLevels } from '../../../lib/metrics/primary-levels.ts';
import { makePrimaryMetrics } from '../../../lib/metrics/primary-metrics.ts';

const LEVELS: PrimaryLevels = {
  build: { version: '1.2.3', node: 'v24.0.0' },
  workers: 2,
  ready: true,
  checks: [{ check: 'redis', passing: true, seconds: 0.002 }],
  trusted: true,
  revocationLagSeconds: 0.25,
  listening: true,
  upstreams: [{ upstream: 'http://127.0.0.1:1', up: true, models: 3, ageSeconds: 12 }],
  shards: [],
  budgets: [],
  sweepAgeSeconds: 3_600,
};

describe('metrics/primary-metrics', () => {
  it('tells what was counted, and zero of each kind before', async () => {
    const metrics = makePrimaryMetrics();
    metrics.drained(5);
    metrics.rejected(1);
    metrics.reaped('exited', 3);
    metrics.drifted('spent', 'high');
    metrics.workerDied();
    const text = await metrics.render(LEVELS);
    expect(text).to.include('gateway_audit_drained_total 5');
    expect(text).to.include('gateway_audit_rejected_total 1');
    expect(text).to.include('gateway_holds_reaped_total{cause="exited"} 3');
    expect(text).to.include('gateway_holds_reaped_total{cause="lapsed"} 0');
    expect(text).to.include('gateway_budget_drift_total{part="spent",direction="high"} 1');
    expect(text).to.include('gateway_budget_drift_total{part="held",direction="low"} 0');
    expect(text).to.include('gateway_worker_restarts_total 1');
  });

  it('tells what stands now: trust, dependencies, upstreams, budgets, the build', async () => {
    const budgets = [
      { tenant: 'acme', period: 'month', spentRatio: 0.81, heldRatio: 0.1 },
    ] as const;
    const text = await makePrimaryMetrics().render({ ...LEVELS, budgets });
    for (const line of [
      'gateway_build_info{version="1.2.3",node="v24.0.0"} 1',
      'gateway_workers 2',
      'gateway_ready 1',
      'gateway_check_passing{check="redis"} 1',
      'gateway_check_seconds{check="redis"} 0.002',
      'gateway_trust_valid 1',
      'gateway_revocation_lag_seconds 0.25',
      'gateway_listen_connected 1',
      'gateway_upstream_up{upstream="http://127.0.0.1:1"} 1',
      'gateway_upstream_models{upstream="http://127.0.0.1:1"} 3',
      'gateway_discovery_age_seconds{upstream="http://127.0.0.1:1"} 12',
      'gateway_budget_used_ratio{tenant="acme",period="month",part="spent"} 0.81',
      'gateway_budget_used_ratio{tenant="acme",period="month",part="held"} 0.1',
    ]) {
      expect(text).to.include(`${line}\n`);
    }
  });

  it('what is not known any more is not told, and what was never read is too old', async () => {
    const metrics = makePrimaryMetrics();
    await metrics.render(LEVELS);
    const text = await metrics.render({
      ...LEVELS,
      ready: false,
      checks: [],
      trusted: false,
      revocationLagSeconds: null,
      sweepAgeSeconds: null,
      upstreams: [{ upstream: 'http://127.0.0.1:1', up: false, models: 0, ageSeconds: null }],
    });
    expect(text).to.include('gateway_ready 0\n');
    expect(text).to.include('gateway_trust_valid 0\n');
    expect(text).to.include('gateway_revocation_lag_seconds +Inf\n');
    expect(text).to.include('gateway_sweep_age_seconds +Inf\n');
    expect(text).to.include('gateway_upstream_up{upstream="http://127.0.0.1:1"} 0\n');
    expect(text).to.not.include('gateway_check_passing{');
    expect(text).to.not.include('gateway_discovery_age_seconds{');
  });

  it('tells of shards what stands now: a length and a lag only of those that are owned', async () => {
    const metrics = makePrimaryMetrics();
    const owned = { shard: 0, owner: true, ready: true, waiting: 9, lagSeconds: 2 };
    await metrics.render({ ...LEVELS, shards: [owned] });
    const text = await metrics.render({
      ...LEVELS,
      shards: [
        { shard: 0, owner: false, ready: true, waiting: null, lagSeconds: null },
        { shard: 1, owner: true, ready: false, waiting: 4, lagSeconds: 1.5 },
      ],
    });
    expect(text).to.include('gateway_audit_stream_length{shard="1"} 4');
    expect(text).to.include('gateway_audit_lag_seconds{shard="1"} 1.5');
    expect(text).to.not.include('gateway_audit_stream_length{shard="0"}');
    expect(text).to.not.include('gateway_audit_lag_seconds{shard="0"}');
    expect(text).to.include('gateway_shard_owned{shard="0"} 0');
    expect(text).to.include('gateway_shard_ready{shard="0"} 1');
    expect(text).to.include('gateway_shard_ready{shard="1"} 0');
  });
});
