import { expect } from 'chai';
import { makePrimaryMetrics } from '../../../lib/metrics/primary-metrics.ts';

describe('metrics/primary-metrics', () => {
  it('tells what was counted, and zero of each kind before', async () => {
    const metrics = makePrimaryMetrics();
    metrics.drained(5);
    metrics.rejected(1);
    metrics.reaped('exited', 3);
    metrics.drifted('spent', 'high');
    const text = await metrics.render([]);
    expect(text).to.include('gateway_audit_drained_total 5');
    expect(text).to.include('gateway_audit_rejected_total 1');
    expect(text).to.include('gateway_holds_reaped_total{cause="exited"} 3');
    expect(text).to.include('gateway_holds_reaped_total{cause="lapsed"} 0');
    expect(text).to.include('gateway_budget_drift_total{part="spent",direction="high"} 1');
    expect(text).to.include('gateway_budget_drift_total{part="held",direction="low"} 0');
  });

  it('tells of shards what stands now: a length only of those that are owned', async () => {
    const metrics = makePrimaryMetrics();
    await metrics.render([{ shard: 0, owner: true, ready: true, waiting: 9 }]);
    const text = await metrics.render([
      { shard: 0, owner: false, ready: true, waiting: null },
      { shard: 1, owner: true, ready: false, waiting: 4 },
    ]);
    expect(text).to.include('gateway_audit_stream_length{shard="1"} 4');
    expect(text).to.not.include('gateway_audit_stream_length{shard="0"}');
    expect(text).to.include('gateway_shard_owned{shard="0"} 0');
    expect(text).to.include('gateway_shard_ready{shard="0"} 1');
    expect(text).to.include('gateway_shard_ready{shard="1"} 0');
  });
});
