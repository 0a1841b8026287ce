import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../lib/time/clock.ts';
import { isRunning } from '../support/is-running.ts';
import { launchGateway } from '../support/launch-gateway.ts';
import type { Gateway } from '../support/launch-gateway.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { rounds } from '../support/rounds.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';
import { accepts, listWorkers, openWorkerClients } from '../support/worker-client.ts';

const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }], stream: false };
const SERVES_WITHIN_MS = 3_000;

describe('e2e: the primary is killed', function () {
  this.timeout(60_000);
  let stack: Stack;
  let caller: MadeKey;
  let runtime: TemporaryDirectory;
  let next: Gateway | undefined;

  beforeEach(async () => {
    runtime = await makeTemporaryDirectory('run');
    stack = await startStack({ env: { RUNTIME_DIRECTORY: runtime.path } });
    caller = await stack.makeCaller();
  });
  afterEach(async () => {
    if (next?.isRunning() === true) await next.stop();
    next = undefined;
    await stack.stop();
    await runtime.remove();
  });

  /** The first request that is answered with 200. */
  async function untilServed(gateway: Gateway, deadlineMs: number): Promise<{ id: string }> {
    return until(
      async () => {
        const { url } = gateway;
        if (url === '') return undefined;
        const response = await post(`${url}/api/chat`, caller.key, CHAT).catch(() => undefined);
        await response?.text();
        return response?.status === 200 && { id: response.headers.get('request-id') ?? '' };
      },
      { withinMs: deadlineMs - systemClock.monotonicMs(), what: 'a request to be served' },
    );
  }

  async function killPrimary(): Promise<void> {
    const { gateway } = stack;
    const killedAtMs = systemClock.monotonicMs();
    gateway.kill('SIGKILL');
    await until(async () => !(await accepts(gateway.url)), {
      withinMs: 1_000,
      what: 'the port to be closed',
    });
    const workers = listWorkers(gateway);
    expect(workers).to.have.length(2);
    await until(() => !workers.some(isRunning), {
      withinMs: 6_000 - (systemClock.monotonicMs() - killedAtMs),
      what: 'the workers to end',
    });
  }

  for (const { seed, random } of rounds({ ci: 1, full: 20 })) {
    it(`under load its workers end too; started again, it serves on the same stores (seed ${seed})`, async () => {
      const left = readdirSync(runtime.path);
      expect(left).to.have.length(2);
      const clients = await openWorkerClients(stack.gateway, caller.key, { each: 3 });
      stack.ollama.always({ tokens: 2_000, paceMs: 10 });
      const replies = await Promise.all(clients.map((client) => client.chat()));
      await wait(random() * 1_000);
      await killPrimary();
      expect(readdirSync(runtime.path).sort()).to.deep.equal(left.sort());
      for (const reply of replies) expect(await reply.ended).to.equal(true);

      stack.ollama.always({});
      const startedAtMs = systemClock.monotonicMs();
      next = await launchGateway({
        databaseUrl: stack.databaseUrl,
        redisUrl: stack.redis.url,
        ollamaUrl: stack.ollama.url,
        env: { RUNTIME_DIRECTORY: runtime.path },
        waitUntilReady: false,
      });
      const { id: last } = await untilServed(next, startedAtMs + SERVES_WITHIN_MS);

      const now = readdirSync(runtime.path);
      expect(now).to.have.length(2);
      expect(now.filter((name) => left.includes(name))).to.deep.equal([]);
      const ids = replies.map(({ requestId }) => requestId);
      await checkLedger(stack, { admitted: [...ids, last] });
    });
  }

  it('streams are told, and what they used is kept for the next primary', async () => {
    const [client] = await openWorkerClients(stack.gateway, caller.key);
    stack.ollama.next({ tokens: 5_000, paceMs: 5 });
    const reply = await client?.chat();
    await until(() => (reply?.lines().length ?? 0) > 20, { withinMs: 3_000, what: 'some lines' });
    await killPrimary();

    expect(await reply?.ended).to.equal(true);
    const lines = reply?.lines() ?? [];
    expect(lines.at(-1)).to.equal('{"error":"The gateway is shutting down."}');
    expect(stack.ollama.inFlight).to.equal(0);

    next = await launchGateway({
      databaseUrl: stack.databaseUrl,
      redisUrl: stack.redis.url,
      ollamaUrl: stack.ollama.url,
      env: { RUNTIME_DIRECTORY: runtime.path },
    });
    const [row] = await stack.readAudit(caller.keyId, 1);
    expect(row).to.include({ id: reply?.requestId, completion_tokens: lines.length - 1 });
  });

  it('workers end in time also while Redis takes nothing', async () => {
    const [client] = await openWorkerClients(stack.gateway, caller.key);
    stack.ollama.next({ tokens: 5_000, paceMs: 5 });
    const reply = await client?.chat();
    stack.redis.signal('SIGSTOP');
    try {
      await killPrimary();
    } finally {
      stack.redis.signal('SIGCONT');
    }
    await reply?.ended;
    expect(await stack.gateway.exited).to.equal(null);
    expect(stack.gateway.events('entries_lost')).to.have.length(1);
  });
});
