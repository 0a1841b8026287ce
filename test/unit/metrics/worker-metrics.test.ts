import { expect } from 'chai';
import type { Reading } from '../../../lib/metrics/cells.ts';
import { makeWorkerMetrics, toAuthResult } from '../../../lib/metrics/worker-metrics.ts';
import type { FinishedRequest } from '../../../lib/metrics/worker-metrics.ts';

const SERVED: FinishedRequest = {
  tenant: 'acme',
  model: 'llama3',
  status: 200,
  durationMs: 1_300,
  refusal: undefined,
  usage: {
    ...{ promptTokens: 12, completionTokens: 11, outcome: 'ok' },
    ...{ firstTokenMs: 300, durationMs: 1_300 },
  },
};

function find(readings: readonly Reading[], metric: string): readonly Reading[] {
  return readings.filter(([name]) => name === metric);
}

function sumOf([reading]: readonly Reading[]): number | undefined {
  return reading?.[2].at(-1);
}

describe('metrics/worker-metrics', () => {
  it('tells of a served request its tokens both ways, its first token and the time for each more', () => {
    const worker = makeWorkerMetrics({ tenants: 1, models: 1 });
    worker.countRequest(SERVED);
    const readings = worker.take();
    expect(find(readings, 'gateway_requests_total')).to.deep.equal([
      ['gateway_requests_total', ['acme', 'llama3', '200'], [1]],
    ]);
    expect(find(readings, 'gateway_tokens_total')).to.deep.equal([
      ['gateway_tokens_total', ['acme', 'llama3', 'prompt'], [12]],
      ['gateway_tokens_total', ['acme', 'llama3', 'completion'], [11]],
    ]);
    expect(sumOf(find(readings, 'gateway_request_duration_seconds'))).to.equal(1.3);
    expect(sumOf(find(readings, 'gateway_time_to_first_token_seconds'))).to.equal(0.3);
    expect(sumOf(find(readings, 'gateway_time_per_output_token_seconds'))).to.equal(0.1);
  });

  it('counts how an admitted request ended, whatever its status was', () => {
    const worker = makeWorkerMetrics({ tenants: 1, models: 1 });
    worker.take();
    const { usage } = SERVED;
    if (usage === undefined) throw new Error('it was admitted');
    const broken = { ...SERVED, usage: { ...usage, outcome: 'upstream_error' } };
    worker.countRequest(broken);
    worker.countRequest({ ...broken, status: 502 });
    const readings = worker.take();
    expect(find(readings, 'gateway_outcomes_total')).to.deep.equal([
      ['gateway_outcomes_total', ['upstream_error'], [2]],
    ]);
    // The other one is told by its status.
    expect(find(readings, 'gateway_broken_replies_total')).to.deep.equal([
      ['gateway_broken_replies_total', [], [1]],
    ]);
  });

  it('a report is what changed: after it nothing is told again', () => {
    const worker = makeWorkerMetrics({ tenants: 1, models: 1 });
    worker.countRequest(SERVED);
    worker.take();
    expect(worker.take()).to.deep.equal([]);
    worker.countDroppedRefusal();
    worker.countDroppedPrompts('full', 3);
    expect(worker.take()).to.deep.equal([
      ['gateway_refusals_dropped_total', [], [1]],
      ['gateway_prompts_dropped_total', ['full'], [3]],
    ]);
  });

  it('a report is bounded: what it has no room for comes with the next, and is not told twice', () => {
    const worker = makeWorkerMetrics({ tenants: 9, models: 1 });
    worker.take();
    for (const tenant of ['a', 'b', 'c']) worker.countRequest({ ...SERVED, tenant });
    const reports = [worker.take(4), worker.take(4), worker.take()].flat();
    const counts = find(reports, 'gateway_requests_total').map(([, [tenant], [count]]) => {
      return [tenant, count];
    });
    expect(counts).to.deep.equal([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
    expect(worker.take()).to.deep.equal([]);
  });

  it('tells zero of every code and every result before there is one: the first is an increase', () => {
    const readings = makeWorkerMetrics({ tenants: 1, models: 1 }).take();
    const results = find(readings, 'gateway_auth_results_total').map(([, [result]]) => result);
    expect(results).to.include.members(['proved_by_map', 'invalid_api_key', 'overloaded']);
    const codes = find(readings, 'gateway_refusals_total').map(([, [code]]) => code);
    expect(codes).to.include.members(['insufficient_quota', 'internal_error', 'revoked']);
    expect(readings.flatMap(([, , values]) => values).every((value) => value === 0)).to.equal(true);
  });

  it('counts a refusal by its code, and no token of one that was not admitted', () => {
    const worker = makeWorkerMetrics({ tenants: 1, models: 1 });
    worker.take();
    const { usage, ...refused } = { ...SERVED, status: 429, refusal: 'budget_held' as const };
    expect(usage).to.not.equal(undefined);
    worker.countRequest(refused);
    const readings = worker.take();
    expect(find(readings, 'gateway_refusals_total')).to.deep.equal([
      ['gateway_refusals_total', ['budget_held'], [1]],
    ]);
    expect(find(readings, 'gateway_tokens_total')).to.deep.equal([]);
  });

  it('a reply of one token, or none, has no time between tokens', () => {
    const worker = makeWorkerMetrics({ tenants: 1, models: 1 });
    const tokens = { promptTokens: 1, completionTokens: 1, outcome: 'ok' };
    const usage = { ...tokens, firstTokenMs: 5, durationMs: 5 };
    worker.countRequest({ ...SERVED, usage });
    worker.countRequest({ ...SERVED, usage: { ...usage, firstTokenMs: null } });
    const readings = worker.take();
    expect(sumOf(find(readings, 'gateway_time_per_output_token_seconds'))).to.equal(0);
    expect(sumOf(find(readings, 'gateway_time_to_first_token_seconds'))).to.equal(0.005);
  });

  it('what is no time is not measured', () => {
    const worker = makeWorkerMetrics({ tenants: 1, models: 1 });
    worker.take();
    for (const ms of [-1, NaN]) worker.timeOverhead(ms);
    expect(worker.take()).to.deep.equal([]);
    worker.timeScript('admit', 0.4);
    expect(sumOf(find(worker.take(), 'gateway_redis_script_seconds'))).to.equal(0.0004);
  });

  it('only a code that says something of a key is a result of authentication', () => {
    expect(toAuthResult('invalid_api_key')).to.equal('invalid_api_key');
    expect(toAuthResult('not_found')).to.equal(undefined);
  });
});
