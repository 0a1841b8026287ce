import { expect } from 'chai';
import { readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../lib/time/clock.ts';
import { isRunning } from '../support/is-running.ts';
import { launchGateway } from '../support/launch-gateway.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { readProcessorWaitMs } from '../support/processor-waits.ts';
import { rounds } from '../support/rounds.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';
import { listWorkers, openWorkerClients } from '../support/worker-client.ts';
import type { WorkerClient } from '../support/worker-client.ts';

const EACH = 3;
/** From the kill to a replacement that listens; what other programs took from that does not count. */
const READY_WITHIN_MS = 2_000;
/** Asking without a pause would take the processor from the worker that is to start. */
const BREATH_MS = 20;

describe('e2e: a worker dies', function () {
  this.timeout(60_000);
  let stack: Stack;
  let caller: MadeKey;
  let runtime: TemporaryDirectory;

  beforeEach(async () => {
    runtime = await makeTemporaryDirectory('run');
    stack = await startStack({ env: { RUNTIME_DIRECTORY: runtime.path } });
    caller = await stack.makeCaller();
  });
  afterEach(async () => {
    await stack.stop();
    await runtime.remove();
  });

  /** gateway_requests_total over all labels. */
  async function readTotal(): Promise<number> {
    const text = await (await fetch(`${stack.gateway.adminUrl}/metrics`)).text();
    const values = [...text.matchAll(/^gateway_requests_total\{.*\} (\d+)$/gm)];
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  }

  /** Asks one after another until told to stop; the statuses it got. */
  async function keepAsking(client: WorkerClient, stop: AbortSignal): Promise<readonly number[]> {
    const statuses: number[] = [];
    while (!stop.aborted) {
      statuses.push((await client.ask('GET', '/api/tags')).status);
      await wait(BREATH_MS);
    }
    return statuses;
  }

  for (const { seed, random } of rounds({ ci: 1, full: 20 })) {
    it(`the clients of the others notice nothing, and another takes its place (seed ${seed})`, async () => {
      const { gateway, ollama } = stack;
      const clients = await openWorkerClients(gateway, caller.key, { each: EACH + 1 });
      const victim = clients[0]?.pid ?? 0;
      const spared = clients.filter(({ pid }) => pid !== victim);
      const hit = clients.filter(({ pid }) => pid === victim);
      ollama.always({ tokens: 150, paceMs: 20 });
      const replies = await Promise.all(spared.slice(0, EACH).map((client) => client.chat()));
      const lost = await Promise.all(hit.slice(0, EACH).map((client) => client.chat()));
      const stop = new AbortController();
      const asked = spared.slice(EACH).map((client) => keepAsking(client, stop.signal));
      const totals: number[] = [];
      const watch = (async () => {
        while (!stop.signal.aborted) {
          totals.push(await readTotal());
          await wait(BREATH_MS);
        }
      })();
      const counted = await until(() => totals.find((total) => total > 0), {
        withinMs: 3_000,
        what: 'the first counts',
      });

      await wait(random() * 500);
      const killedAtMs = systemClock.monotonicMs();
      process.kill(victim, 'SIGKILL');
      const workers = await until(() => listWorkers(gateway).length === 3 && listWorkers(gateway), {
        withinMs: 10 * READY_WITHIN_MS,
        what: 'another worker to listen',
      });
      const tookMs = systemClock.monotonicMs() - killedAtMs;
      const ownMs = tookMs - readProcessorWaitMs(workers[2] ?? 0);
      expect(ownMs, `of ${tookMs} ms, without its waits for a processor`).to.be.at.most(
        READY_WITHIN_MS,
      );
      expect(gateway.events('worker_exit')).to.have.length(1);
      expect(gateway.events('worker_exit')[0]).to.include({
        worker_pid: victim,
        signal: 'SIGKILL',
      });

      for (const reply of lost) expect(await reply.ended).to.equal(false);
      for (const reply of replies) {
        expect(await reply.ended).to.equal(true);
        expect(reply.lines().at(-1)).to.include('"done":true');
      }
      const before = totals.length;
      await until(() => (totals.at(-1) ?? 0) > counted && totals.length > before, {
        withinMs: 3_000,
        what: 'more counts',
      });
      stop.abort();
      await watch;
      for (const statuses of await Promise.all(asked)) {
        expect(statuses.length).to.be.above(10);
        expect(new Set(statuses)).to.deep.equal(new Set([200]));
      }
      expect(totals).to.deep.equal(totals.toSorted((a, b) => a - b));

      const again = await openWorkerClients(gateway, caller.key);
      expect(again.map(({ pid }) => pid)).to.have.members([spared[0]?.pid, workers[2]]);
      for (const client of [...clients, ...again]) client.close();
      expect(ollama.inFlight).to.equal(0);
      await checkLedger(stack, {
        admitted: [...replies, ...lost].map(({ requestId }) => requestId),
      });
    });
  }

  it('workers that die as soon as they start end the whole gateway with 70', async () => {
    const { gateway } = stack;
    for (const name of readdirSync(runtime.path)) rmSync(join(runtime.path, name));
    const [victim = 0] = listWorkers(gateway);
    process.kill(victim, 'SIGKILL');

    expect(await gateway.exited).to.equal(70);
    expect(gateway.events('crash_loop')).to.have.length(1);
    expect(gateway.events('worker_exit')).to.have.length(6);
    expect(listWorkers(gateway)).to.have.length(2);
    expect(listWorkers(gateway).filter(isRunning)).to.deep.equal([]);
    expect(readdirSync(runtime.path)).to.deep.equal([]);
  });

  for (const [name, event] of [
    ['NZGW_PORT', 'worker_failed'],
    ['NZGW_ADMIN_PORT', 'admin_failed'],
  ] as const) {
    it(`${name} taken by another program: it ends with 1 and says so`, async () => {
      const other = createServer().listen(0, '127.0.0.1');
      const port = await until(() => (other.address() as AddressInfo | null)?.port, {
        withinMs: 1_000,
        what: 'a port',
      });
      const gateway = await launchGateway({
        databaseUrl: stack.databaseUrl,
        redisUrl: stack.redis.url,
        ollamaUrl: stack.ollama.url,
        env: { RUNTIME_DIRECTORY: runtime.path, [name]: String(port) },
        waitUntilReady: false,
      });
      expect(await gateway.exited).to.equal(1);
      const [line] = gateway.events(event);
      expect(line).to.include({ level: 'fatal' });
      expect(line?.['msg']).to.include(`cannot listen on 127.0.0.1:${port}`);
      expect(JSON.stringify(line)).to.include('EADDRINUSE');
      other.close();
    });
  }
});
