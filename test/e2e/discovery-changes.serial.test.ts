import { expect } from 'chai';
import { systemClock } from '../../lib/time/clock.ts';
import { FAKE_MODELS } from '../support/fake-script.ts';
import { startFakeOllama } from '../support/fake-ollama.ts';
import type { FakeModel, FakeOllama } from '../support/fake-ollama.ts';
import { launchGateway } from '../support/launch-gateway.ts';
import type { Gateway } from '../support/launch-gateway.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { openWorkerClients } from '../support/worker-client.ts';
import type { WorkerClient } from '../support/worker-client.ts';

const INTERVAL_MS = 1_000;
/** From the poll that saw a change to every worker (SPEC §3). */
const IN_FORCE_MS = 1_000;
const ENV = {
  MODEL_DISCOVERY_INTERVAL_SECONDS: '1',
  MODEL_DISCOVERY_MAX_AGE_SECONDS: '8',
  // Its upstreams are away again and again: 502 is to mean that, and nothing is to rest after it.
  NZGW_BREAKER_FAILURES: '1000',
};
const NEW = 'phi4:14b';

describe('e2e: the models of the upstream change', function () {
  this.timeout(60_000);
  let stack: Stack;
  let caller: MadeKey;
  let ollama: FakeOllama;
  let clients: readonly WorkerClient[];
  let next: Gateway | undefined;

  before(async () => {
    stack = await startStack({ env: ENV });
    ({ ollama } = stack);
    caller = await stack.makeCaller();
    clients = await openWorkerClients(stack.gateway, caller.key);
  });
  after(async () => {
    if (next?.isRunning() === true) await next.stop();
    await ollama.close();
    await stack.stop();
  });

  async function readNames(client: WorkerClient): Promise<readonly string[]> {
    const { status, text } = await client.ask('GET', '/api/tags');
    expect(status).to.equal(200);
    const { models } = JSON.parse(text) as { readonly models: readonly { name: string }[] };
    return models.map(({ name }) => name).sort();
  }

  /** Statuses of a generation with the model, a worker each. */
  function use(model: string): Promise<readonly number[]> {
    const body = { model, prompt: 'hi', stream: false };
    return Promise.all(
      clients.map(async (client) => (await client.ask('POST', '/api/generate', body)).status),
    );
  }

  /** Waits until every worker lists these; then the statuses of a use were right all along. */
  async function untilListed(models: readonly FakeModel[]): Promise<void> {
    const names = models.map(({ name }) => name).sort();
    await until(
      async () => {
        const lists = await Promise.all(clients.map(readNames));
        return lists.every((list) => list.join() === names.join());
      },
      { withinMs: INTERVAL_MS + IN_FORCE_MS + 500, what: `${names.join()} to be listed` },
    );
  }

  /** Milliseconds since the first poll that saw what was set at that time. */
  async function sincePoll(changedAtMs: number): Promise<number> {
    const seen = await until(
      () =>
        ollama.requests.find(
          ({ path, receivedAtMs }) => path === '/api/tags' && receivedAtMs >= changedAtMs,
        ),
      { withinMs: INTERVAL_MS, what: 'a poll' },
    );
    return systemClock.monotonicMs() - seen.receivedAtMs;
  }

  it('one that was added is listed and used on both workers within 1 s of the poll', async () => {
    expect(new Set(clients.map(({ pid }) => pid)).size).to.equal(2);
    expect(await use(NEW)).to.deep.equal([403, 403]);
    const models = [...FAKE_MODELS, { name: NEW }];
    ollama.setModels(models);
    const changedAtMs = systemClock.monotonicMs();
    await untilListed(models);
    expect(await use(NEW)).to.deep.equal([200, 200]);
    expect(await sincePoll(changedAtMs)).to.be.below(IN_FORCE_MS);
  });

  it('one that was removed is 403 on both, and others go on', async () => {
    expect(await use(NEW)).to.deep.equal([200, 200]);
    ollama.setModels(FAKE_MODELS);
    const changedAtMs = systemClock.monotonicMs();
    await untilListed(FAKE_MODELS);
    expect(await use(NEW)).to.deep.equal([403, 403]);
    expect(await sincePoll(changedAtMs)).to.be.below(IN_FORCE_MS);
    expect(await use('llama3')).to.deep.equal([200, 200]);
  });

  it('a model pulled anew under its name is told of anew', async () => {
    const models = FAKE_MODELS.map((model) =>
      model.name === 'qwen3:8b' ? { ...model, digest: 'f'.repeat(64) } : model,
    );
    ollama.setModels(models);
    await until(
      async () => {
        const answers = await Promise.all(clients.map((client) => client.ask('GET', '/api/tags')));
        return answers.every(({ text }) => text.includes('f'.repeat(64)));
      },
      { withinMs: INTERVAL_MS + IN_FORCE_MS, what: 'the new digest' },
    );
    expect(await use('qwen3:8b')).to.deep.equal([200, 200]);
  });

  it('an upstream that comes back with other models has those, and no others', async () => {
    const port = Number(new URL(ollama.url).port);
    await ollama.close();
    expect(await use('llama3')).to.deep.equal([502, 502]);
    const models = [{ name: 'mistral:7b' }, { name: 'gemma3:4b' }];
    ollama = await startFakeOllama({ port, models });
    await untilListed(models);
    expect(await use('mistral:7b')).to.deep.equal([200, 200]);
    expect(await use('llama3')).to.deep.equal([403, 403]);
  });

  async function launchAgain(ollamaUrl: string): Promise<Gateway> {
    const gateway = await launchGateway({
      databaseUrl: stack.databaseUrl,
      redisUrl: stack.redis.url,
      ollamaUrl,
      env: ENV,
      waitUntilReady: false,
    });
    next = gateway;
    await until(() => gateway.events('worker_listening').length === 2, {
      withinMs: 10_000,
      what: 'its workers to listen',
    });
    return gateway;
  }

  async function readStatuses({ url }: Gateway): Promise<readonly [number, number]> {
    const headers = { authorization: `Bearer ${caller.key}` };
    const body = { model: 'mistral:7b', prompt: 'hi' };
    const answers = await Promise.all([
      fetch(`${url}/api/tags`, { headers }),
      post(`${url}/api/generate`, caller.key, body),
    ]);
    await Promise.all(answers.map((answer) => answer.text()));
    return [answers[0].status, answers[1].status];
  }

  it("a fresh start without the upstream uses Redis's copy while it is young", async () => {
    const { url } = ollama;
    expect(await stack.gateway.stop()).to.equal(0);
    await ollama.close();
    const gateway = await launchAgain(url);
    await until(async () => (await readStatuses(gateway)).join() === '200,502', {
      withinMs: 3_000,
      what: 'the copy to be used',
    });
    const ready = await fetch(`${gateway.adminUrl}/readyz`);
    expect(ready.status).to.equal(503);

    await until(async () => (await readStatuses(gateway)).join() === '503,503', {
      withinMs: 10_000,
      what: 'the copy to be too old',
    });
    const port = Number(new URL(url).port);
    ollama = await startFakeOllama({ port, models: [{ name: 'mistral:7b' }] });
    await until(async () => (await readStatuses(gateway)).join() === '200,200', {
      withinMs: 10_000,
      what: 'the upstream to be found again',
    });
    expect(await gateway.stop()).to.equal(0);
  });

  it('without a copy its workers listen all the same, and have no models', async () => {
    const other = await startFakeOllama();
    await other.close();
    const gateway = await launchAgain(other.url);
    expect(await readStatuses(gateway)).to.deep.equal([503, 503]);
    expect(await gateway.stop()).to.equal(0);
  });
});
