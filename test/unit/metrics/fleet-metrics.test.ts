import { expect } from 'chai';
import { Gauge, Registry } from 'prom-client';
import { makeFleetMetrics } from '../../../lib/metrics/fleet-metrics.ts';
import { makeWorkerMetrics } from '../../../lib/metrics/worker-metrics.ts';

const most = { tenants: 2, models: 2 };

/** A worker that finished one request each for these tenants: what it would send. */
async function countFor(...tenants: readonly string[]): Promise<readonly unknown[]> {
  const worker = makeWorkerMetrics({ tenants: 100, models: 100 });
  for (const tenant of tenants) worker.countRequest(tenant, 'llama3', 200);
  return worker.snapshot();
}

/** The counts of a rendering, by tenant. */
function readCounts(text: string): Readonly<Record<string, number>> {
  const lines = text.matchAll(/gateway_requests_total\{tenant="(\w+)".*\} (\d+)/g);
  const counts: Record<string, number> = {};
  for (const [, tenant = '', count] of lines) counts[tenant] = Number(count);
  return counts;
}

describe('metrics/fleet-metrics', () => {
  it('adds up the workers', async () => {
    const fleet = makeFleetMetrics(most);
    const [one, two] = [makeWorkerMetrics(most), makeWorkerMetrics(most)];
    one.countRequest('acme', 'llama3', 200);
    two.countRequest('acme', 'llama3', 200);
    two.countRequest(undefined, undefined, 401);
    one.countAuth('proved_by_map');
    two.countAuth('proved_by_map');
    fleet.take('w1', await one.snapshot());
    fleet.take('w2', await two.snapshot());

    const text = await fleet.render();
    expect(text).to.include('gateway_requests_total{tenant="acme",model="llama3",status="200"} 2');
    expect(text).to.include('gateway_requests_total{tenant="none",model="none",status="401"} 1');
    expect(text).to.include('gateway_auth_results_total{result="proved_by_map"} 2');
  });

  it('no counter falls when a worker dies', async () => {
    const fleet = makeFleetMetrics(most);
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

  it('no counter falls while a dead worker is being folded in', async () => {
    const fleet = makeFleetMetrics(most);
    for (const incarnation of ['w1', 'w2', 'w3']) {
      fleet.take(incarnation, await countFor('acme'));
    }
    for (const incarnation of ['w1', 'w2']) {
      const retired = fleet.retire(incarnation);
      expect(readCounts(await fleet.render())).to.deep.equal({ acme: 3 });
      await retired;
    }
  });

  it('workers that die at once are all kept, and so is one that dies while they are folded', async () => {
    const fleet = makeFleetMetrics(most);
    for (const incarnation of ['w1', 'w2', 'w3', 'w4']) {
      fleet.take(incarnation, await countFor('acme'));
    }
    const retired = ['w1', 'w2', 'w3'].map((incarnation) => fleet.retire(incarnation));
    await Promise.resolve();
    await Promise.all([...retired, fleet.retire('w4')]);
    expect(readCounts(await fleet.render())).to.deep.equal({ acme: 4 });
  });

  it('a message that comes after its worker’s end is not counted twice', async () => {
    const fleet = makeFleetMetrics(most);
    fleet.take('w1', await countFor('acme'));
    const retired = fleet.retire('w1');
    fleet.take('w1', await countFor('acme'));
    await retired;
    fleet.take('w1', await countFor('acme'));
    expect(readCounts(await fleet.render())).to.deep.equal({ acme: 1 });
  });

  it('remembers the dead, but not for ever', async () => {
    const fleet = makeFleetMetrics(most);
    for (let n = 0; n < 1_001; n += 1) await fleet.retire(`w${n}`);
    fleet.take('w1', await countFor('acme'));
    expect(readCounts(await fleet.render())).to.deep.equal({});
    fleet.take('w0', await countFor('acme'));
    expect(readCounts(await fleet.render())).to.deep.equal({ acme: 1 });
  });

  it('series are bounded over all workers and lives, and none of them ever falls', async () => {
    const fleet = makeFleetMetrics(most);
    fleet.take('w1', await countFor('a', 'b', 'other', 'none'));
    fleet.take('w2', await countFor('b', 'c', 'd'));
    const before = readCounts(await fleet.render());
    expect(before).to.deep.equal({ a: 1, b: 2, other: 3, none: 1 });
    await Promise.all([fleet.retire('w1'), fleet.retire('w2')]);
    fleet.take('w3', await countFor('d', 'e'));
    expect(readCounts(await fleet.render())).to.deep.equal({ ...before, other: 5 });
  });

  it('what stands at a level ends with its worker', async () => {
    const fleet = makeFleetMetrics(most);
    const registry = new Registry();
    const open = new Gauge({ name: 'gateway_open', help: 'Open.', registers: [registry] });
    open.set(3);
    fleet.take('w1', await registry.getMetricsAsJSON());
    expect(await fleet.render()).to.include('gateway_open 3');
    await fleet.retire('w1');
    expect(await fleet.render()).not.to.include('gateway_open 3');
  });

  it('a worker that never spoke counts nothing', async () => {
    const fleet = makeFleetMetrics(most);
    await fleet.retire('w1');
    expect((await fleet.render()).trim()).to.equal('');
  });
});

describe('metrics/label-set', () => {
  it('clients cannot make series: what comes after the bound is other', async () => {
    const worker = makeWorkerMetrics(most);
    for (const tenant of ['a', 'b', 'c', 'd', 'a']) worker.countRequest(tenant, 'm', 200);
    const fleet = makeFleetMetrics(most);
    fleet.take('w1', await worker.snapshot());

    const lines = (await fleet.render()).split('\n').filter((line) => line.includes('tenant='));
    expect(lines).to.deep.equal([
      'gateway_requests_total{tenant="a",model="m",status="200"} 2',
      'gateway_requests_total{tenant="b",model="m",status="200"} 1',
      'gateway_requests_total{tenant="other",model="m",status="200"} 2',
    ]);
  });
});
