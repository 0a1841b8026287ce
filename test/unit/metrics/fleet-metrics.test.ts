import { expect } from 'chai';
import { makeFleetMetrics } from '../../../lib/metrics/fleet-metrics.ts';
import { makeWorkerMetrics } from '../../../lib/metrics/worker-metrics.ts';

const most = { tenants: 2, models: 2 };

describe('metrics/fleet-metrics', () => {
  it('adds up the workers', async () => {
    const fleet = makeFleetMetrics();
    const [one, two] = [makeWorkerMetrics(most), makeWorkerMetrics(most)];
    one.countRequest('acme', 'llama3', 200);
    two.countRequest('acme', 'llama3', 200);
    two.countRequest(undefined, undefined, 401);
    fleet.take('w1', await one.snapshot());
    fleet.take('w2', await two.snapshot());

    const text = await fleet.render();
    expect(text).to.include('gateway_requests_total{tenant="acme",model="llama3",status="200"} 2');
    expect(text).to.include('gateway_requests_total{tenant="none",model="none",status="401"} 1');
  });

  it('no counter falls when a worker dies', async () => {
    const fleet = makeFleetMetrics();
    for (const incarnation of ['w1', 'w2']) {
      const worker = makeWorkerMetrics(most);
      worker.countRequest('acme', 'llama3', 200);
      fleet.take(incarnation, await worker.snapshot());
      await fleet.retire(incarnation);
    }
    await fleet.retire('w1');

    const text = await fleet.render();
    expect(text).to.include('gateway_requests_total{tenant="acme",model="llama3",status="200"} 2');
  });

  it('a worker that never spoke counts nothing', async () => {
    const fleet = makeFleetMetrics();
    await fleet.retire('w1');
    expect((await fleet.render()).trim()).to.equal('');
  });
});

describe('metrics/label-set', () => {
  it('clients cannot make series: what comes after the bound is other', async () => {
    const worker = makeWorkerMetrics(most);
    for (const tenant of ['a', 'b', 'c', 'd', 'a']) worker.countRequest(tenant, 'm', 200);
    const fleet = makeFleetMetrics();
    fleet.take('w1', await worker.snapshot());

    const lines = (await fleet.render()).split('\n').filter((line) => line.includes('tenant='));
    expect(lines).to.deep.equal([
      'gateway_requests_total{tenant="a",model="m",status="200"} 2',
      'gateway_requests_total{tenant="b",model="m",status="200"} 1',
      'gateway_requests_total{tenant="other",model="m",status="200"} 2',
    ]);
  });
});
