import { expect } from 'chai';
import type { Reading } from '../../../lib/metrics/cells.ts';
import { FleetMetrics } from '../../../lib/metrics/fleet-metrics.ts';
import { makeWorkerMetrics } from '../../../lib/metrics/worker-metrics.ts';
import type { FinishedRequest } from '../../../lib/metrics/worker-metrics.ts';
import { readAll } from '../../support/read-metrics.ts';

const most = { tenants: 2, models: 2 };
const OPEN: Reading = ['gateway_inflight_requests', [], [3]];

function finished(changes: Partial<FinishedRequest> = {}): FinishedRequest {
  return {
    tenant: 'acme',
    model: 'llama3',
    status: 200,
    durationMs: 300,
    refusal: undefined,
    ...changes,
  };
}

/** A worker that finished one request each for these tenants: what it would send. */
function countFor(...tenants: readonly string[]): readonly Reading[] {
  const worker = makeWorkerMetrics({ tenants: 100, models: 100 });
  for (const tenant of tenants) worker.countRequest(finished({ tenant }));
  return worker.take();
}

/** The counts of a rendering, by tenant. */
function readCounts(text: string): Readonly<Record<string, number>> {
  const lines = text.matchAll(/gateway_requests_total\{tenant="(\w+)".*\} (\d+)/g);
  const counts: Record<string, number> = {};
  for (const [, tenant = '', count] of lines) counts[tenant] = Number(count);
  return counts;
}

describe('metrics/fleet-metrics', () => {
  it('adds up the workers, and what each of them reports one after the other', async () => {
    const fleet = new FleetMetrics(most);
    const [one, two] = [makeWorkerMetrics(most), makeWorkerMetrics(most)];
    one.countRequest(finished());
    fleet.take('w1', one.take());
    one.countRequest(finished());
    two.countRequest(finished({ tenant: undefined, model: undefined, status: 401 }));
    two.countAuth('proved_by_map');
    fleet.take('w1', one.take());
    fleet.take('w2', two.take());
    fleet.take('w2', two.take());

    const text = await readAll(fleet);
    expect(text).to.include(
      'gateway_requests_total{tenant="acme",model="llama3",status="200"} 2\n',
    );
    expect(text).to.include('gateway_requests_total{tenant="none",model="none",status="401"} 1\n');
    expect(text).to.include('gateway_auth_results_total{result="proved_by_map"} 1\n');
    expect(text).to.include('gateway_refusals_total{code="budget_held"} 0\n');
  });

  it('a histogram has rising buckets, a sum and a count, as Prometheus reads them', async () => {
    const fleet = new FleetMetrics(most);
    const worker = makeWorkerMetrics(most);
    for (const durationMs of [50, 51, 700_000]) worker.countRequest(finished({ durationMs }));
    fleet.take('w1', worker.take());
    worker.countRequest(finished({ durationMs: 99 }));
    fleet.take('w1', worker.take());

    const lines = (await readAll(fleet))
      .split('\n')
      .filter((line) => line.startsWith('gateway_request_duration_seconds'))
      .map((line) => line.replace('gateway_request_duration_seconds', ''));
    const labels = 'tenant="acme",model="llama3"';
    expect(lines[0]).to.equal(`_bucket{${labels},le="0.05"} 1`);
    expect(lines[1]).to.equal(`_bucket{${labels},le="0.1"} 3`);
    expect(lines.at(-4)).to.equal(`_bucket{${labels},le="640"} 3`);
    expect(lines.at(-3)).to.equal(`_bucket{${labels},le="+Inf"} 4`);
    expect(lines.at(-2)).to.equal(`_sum{${labels}} 700.2`);
    expect(lines.at(-1)).to.equal(`_count{${labels}} 4`);
  });

  it('no counter falls when workers die, whatever was on its way: each report counts once', async () => {
    const fleet = new FleetMetrics(most);
    fleet.take('w1', countFor('acme'));
    fleet.retire('w1');
    expect(readCounts(await readAll(fleet))).to.deep.equal({ acme: 1 });
    fleet.take('w1', countFor('acme'));
    fleet.take('w2', countFor('acme'));
    fleet.retire('w1');
    expect(readCounts(await readAll(fleet))).to.deep.equal({ acme: 3 });
  });

  it('series are bounded over all workers and lives, and none of them ever falls', async () => {
    const fleet = new FleetMetrics(most);
    fleet.take('w1', countFor('a', 'b', 'other', 'none'));
    fleet.take('w2', countFor('b', 'c', 'd'));
    const before = readCounts(await readAll(fleet));
    expect(before).to.deep.equal({ a: 1, b: 2, other: 3, none: 1 });
    for (const incarnation of ['w1', 'w2']) fleet.retire(incarnation);
    fleet.take('w3', countFor('d', 'e'));
    expect(readCounts(await readAll(fleet))).to.deep.equal({ ...before, other: 5 });
  });

  it('levels are of the last report, are added up, and end with their worker', async () => {
    const fleet = new FleetMetrics(most);
    fleet.take('w1', [['gateway_inflight_requests', [], [9]]]);
    fleet.take('w1', [OPEN]);
    fleet.take('w2', [OPEN]);
    expect(await readAll(fleet)).to.match(/^gateway_inflight_requests 6$/m);
    fleet.retire('w1');
    // A report that comes after its worker's end tells of nothing that is there.
    fleet.take('w1', [OPEN]);
    expect(await readAll(fleet)).to.match(/^gateway_inflight_requests 3$/m);
    fleet.retire('w2');
    expect(await readAll(fleet)).not.to.match(/^gateway_inflight_requests /m);
  });

  it('of how full something is, the fullest worker counts', async () => {
    const fleet = new FleetMetrics(most);
    fleet.take('w1', [['gateway_argon2_queue_fill_ratio', [], [0.75]]]);
    fleet.take('w2', [['gateway_argon2_queue_fill_ratio', [], [0.25]]]);
    expect(await readAll(fleet)).to.match(/^gateway_argon2_queue_fill_ratio 0.75$/m);
  });

  it('remembers the dead, but not for ever', async () => {
    const fleet = new FleetMetrics(most);
    for (let n = 0; n < 1_001; n += 1) fleet.retire(`w${n}`);
    fleet.take('w1', [OPEN]);
    expect(await readAll(fleet)).to.not.include('gateway_inflight_requests 3');
    fleet.take('w0', [OPEN]);
    expect(await readAll(fleet)).to.include('gateway_inflight_requests 3');
  });

  it('a name that only a newer worker knows is let be', async () => {
    const fleet = new FleetMetrics(most);
    const newer = JSON.parse('[["gateway_newer_total", [], [1]]]') as readonly Reading[];
    fleet.take('w1', newer);
    expect(await readAll(fleet)).to.not.include('newer');
  });

  it('others run while a large rendering is written', async () => {
    const fleet = new FleetMetrics({ tenants: 1_000, models: 2 });
    const tenants = Array.from({ length: 1_000 }, (_, n) => `t${n}`);
    const worker = makeWorkerMetrics({ tenants: 1_000, models: 2 });
    for (const tenant of tenants) worker.countRequest(finished({ tenant }));
    fleet.take('w1', worker.take());
    let turns = 0;
    const rendering = readAll(fleet);
    const timer = setInterval(() => (turns += 1), 0);
    const text = await rendering;
    clearInterval(timer);
    expect(Object.keys(readCounts(text))).to.have.length(1_000);
    expect(turns).to.be.above(0);
  });
});

describe('metrics/label-set', () => {
  it('clients cannot make series: what comes after the bound is other', async () => {
    const worker = makeWorkerMetrics(most);
    for (const tenant of ['a', 'b', 'c', 'd', 'a']) worker.countRequest(finished({ tenant }));
    const fleet = new FleetMetrics(most);
    fleet.take('w1', worker.take());
    expect(readCounts(await readAll(fleet))).to.deep.equal({ a: 2, b: 1, other: 2 });
  });
});
