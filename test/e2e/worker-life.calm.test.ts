import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../lib/time/clock.ts';
import { launchGateway, PEPPER } from '../support/launch-gateway.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';
import { listWorkers, openWorkerClients } from '../support/worker-client.ts';

const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };
const INSPECTOR_PORT = 9_229;
const LONGER_THAN_SILENCE_MS = 7_000;

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

describe('e2e: the life of a worker', function () {
  this.timeout(40_000);
  let stack: Stack;
  let caller: MadeKey;

  beforeEach(async () => {
    stack = await startStack({ workers: 2, env: { NZGW_DRAIN_SECONDS: '3' } });
    caller = await stack.makeCaller();
  });
  afterEach(() => stack.stop());

  it('one that hangs is killed and replaced, for it holds connections that nobody answers', async () => {
    const [victim = 0] = listWorkers(stack.gateway);
    process.kill(victim, 'SIGSTOP');
    await until(() => listWorkers(stack.gateway).length === 3, {
      withinMs: 12_000,
      what: 'another worker in its place',
    });
    expect(stack.gateway.events('worker_silent')).to.have.length(1);
    expect(stack.gateway.events('worker_silent')[0]).to.include({ worker_pid: victim });
  });

  it('a primary that was stopped kills no worker for what it did not hear itself', async () => {
    process.kill(stack.gateway.pid, 'SIGSTOP');
    const stoppedAtMs = systemClock.monotonicMs();
    await until(() => systemClock.monotonicMs() - stoppedAtMs > LONGER_THAN_SILENCE_MS, {
      withinMs: 10_000,
      what: 'the time in which a worker may be silent to pass',
    });
    process.kill(stack.gateway.pid, 'SIGCONT');
    await until(async () => (await fetch(`${stack.gateway.url}/readyz`)).status === 200, {
      withinMs: 5_000,
      what: 'the gateway to be ready again',
    });
    expect(stack.gateway.events('worker_silent')).to.deep.equal([]);
    expect(listWorkers(stack.gateway)).to.have.length(2);
  });

  it('SIGHUP ends nothing and SIGUSR1 opens no debugger, in primary and workers', async () => {
    expect(await isListening(INSPECTOR_PORT)).to.equal(false);
    for (const pid of [stack.gateway.pid, ...listWorkers(stack.gateway)]) {
      process.kill(pid, 'SIGHUP');
      process.kill(pid, 'SIGUSR1');
    }
    const [client] = await openWorkerClients(stack.gateway, caller.key);
    const reply = await client?.chat();
    expect(await reply?.ended).to.equal(true);
    expect(await isListening(INSPECTOR_PORT)).to.equal(false);
    expect(stack.gateway.isRunning()).to.equal(true);
  });

  it('while it drains, a kept connection gets 503 and is closed, whatever it asks', async () => {
    const [one] = await openWorkerClients(stack.gateway, caller.key, { each: 1 });
    stack.ollama.next({ tokens: 60, paceMs: 20 });
    const running = await one?.chat();
    stack.gateway.kill('SIGTERM');
    await until(() => stack.gateway.events('stopping').length === 1, {
      withinMs: 2_000,
      what: 'the drain to begin',
    });
    expect(await running?.ended).to.equal(true);
    expect(running?.lines().at(-1)).to.include('"done":true');
    const later = await one?.ask('POST', '/api/chat', CHAT).catch(() => undefined);
    expect([undefined, 503]).to.include(later?.status);
    expect(await stack.gateway.exited).to.equal(0);
  });

  it('primary and workers read the same file of settings', async () => {
    const directory = await makeTemporaryDirectory('env');
    const file = join(directory.path, 'env');
    const urls = {
      databaseUrl: stack.databaseUrl,
      redisUrl: stack.redis.url,
      ollamaUrl: stack.ollama.url,
    };
    const settings = {
      DATABASE_URL: urls.databaseUrl,
      REDIS_URL: urls.redisUrl,
      OLLAMA_URL: urls.ollamaUrl,
      NZGW_KEY_PEPPER: PEPPER,
      NZGW_WORKERS: '1',
      NZGW_PORT: '0',
      NZGW_ADMIN_PORT: '0',
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"`);
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    const gateway = await launchGateway({ ...urls, envFile: file, workers: 1 });
    expect((await fetch(`${gateway.url}/readyz`)).status).to.equal(200);
    expect(await gateway.stop()).to.equal(0);
    await directory.remove();
  });
});
