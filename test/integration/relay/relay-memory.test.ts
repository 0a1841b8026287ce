import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import type { ReplyTask } from '../../../lib/relay/reply-task.ts';
import { startFakeOllama } from '../../support/fake-ollama.ts';
import type { FakeOllama, Script } from '../../support/fake-ollama.ts';
import { openRelay, runHere } from '../../support/open-relay.ts';
import type { RelayTest, RelayTestOptions } from '../../support/open-relay.ts';
import { openRawClient } from '../../support/raw-client.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

const CHAT = { model: 'llama3:latest', messages: [{ role: 'user', content: 'hi' }] };
const ASSEMBLED = { ...CHAT, stream: false };
const EVENTS = { ...CHAT, stream: true };
const EMBED = { model: 'nomic-embed-text:latest', input: ['a', 'b'] };
const LARGE = { longLineBytes: 400_000, tokens: 3 };

describe('relay: the memory of replies', () => {
  let fake: FakeOllama;
  let relay: RelayTest;

  beforeEach(async () => {
    fake = await startFakeOllama();
  });

  afterEach(async () => {
    await relay.close();
    await fake.close();
  });

  async function open(options: Partial<RelayTestOptions>): Promise<void> {
    relay = await openRelay({ origins: [fake.url], ...options });
  }

  async function send(script: Script, path: string, value: object): Promise<RawClient> {
    fake.next(script);
    const client = await openRawClient(relay.port);
    const body = JSON.stringify(value);
    client.send(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    return client;
  }

  const post = (body: object, tenant: string): Promise<Response> =>
    fetch(`${relay.url}/api/chat`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'x-tenant': tenant },
    });

  const nothingHeld = (): Promise<unknown> =>
    until(() => relay.memory.heldBytes === 0, { withinMs: 1_000, what: 'the memory' });

  it('counts the events of a large line until those of the next are handed out', async () => {
    const held: number[] = [];
    await open({ observer: () => held.push(relay.memory.heldBytes) });
    const call = { function: { name: 'f', arguments: { a: 'y'.repeat(400_000) } } };
    fake.next({ ...LARGE, toolCalls: [call] });
    const path = `${relay.url}/v1/chat/completions`;
    const response = await fetch(path, { method: 'POST', body: JSON.stringify(EVENTS) });
    expect((await response.text()).length).to.be.greaterThan(400_000);
    // The line and its events, once; never those of both.
    expect(Math.min(...held)).to.be.greaterThan(700_000);
    expect(Math.max(...held)).to.be.below(1_000_000);
    await nothingHeld();
  });

  for (const [name, script, path, body] of [
    ['embedded', { dimensions: 50_000 }, '/api/embed', EMBED],
    ['assembled', LARGE, '/api/chat', ASSEMBLED],
    ['streamed', LARGE, '/api/chat', CHAT],
    ['as events', LARGE, '/v1/chat/completions', EVENTS],
  ] as const) {
    it(`holds nothing of a reply whose client left while a thread had it (${name})`, async () => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      let tasks = 0;
      await open({
        runTask: async <T>(task: ReplyTask): Promise<T | null> => {
          tasks += 1;
          await promise;
          return runHere<T>(task);
        },
      });
      const client = await send(script, path, body);
      await until(() => tasks, { withinMs: 2_000, what: 'the task' });
      client.destroy();
      await until(() => relay.tallies[0]?.outcome, { withinMs: 2_000, what: 'the outcome' });
      const lines = relay.tallies[0]?.outputLines;
      expect(relay.memory.heldBytes).to.be.greaterThan(300_000);
      resolve(undefined);
      await nothingHeld();
      await turn();
      await turn();
      expect(relay.memory.heldBytes).to.equal(0);
      expect(tasks).to.equal(1);
      expect(relay.tallies[0]).to.include({ outcome: 'client_gone', outputLines: lines });
    });
  }

  it('cuts a client that takes a held reply, but not in time', async () => {
    await open({ relayLimits: { deliveryTimeoutMs: 300 } });
    const client = await send({ tokens: 500, text: 'z'.repeat(20_000) }, '/api/chat', ASSEMBLED);
    client.socket.pause();
    const reading = setInterval(() => {
      client.socket.read(65_536);
    }, 20);
    await until(() => relay.tallies[0]?.outcome === 'client_gone', {
      withinMs: 2_500,
      what: 'the cut',
    });
    clearInterval(reading);
    await nothingHeld();
    client.destroy();
  });

  it('keeps one tenant from the memory of the others', async () => {
    await open({ memoryBytes: 80_000_000, relayLimits: { maxReplyBytes: 16_000_000 } });
    const idle = await send({ tokens: 600, text: 'z'.repeat(20_000) }, '/api/chat', ASSEMBLED);
    idle.socket.pause();
    await until(() => relay.memory.heldBytes > 11_900_000, { withinMs: 2_000, what: 'the reply' });
    const script = { tokens: 500, text: 'z'.repeat(20_000) };
    for (const [tenant, status] of [
      ['acme', 503],
      ['other', 200],
    ] as const) {
      fake.next(script);
      const response = await post(ASSEMBLED, tenant);
      expect(response.status).to.equal(status);
      await response.text();
    }
    idle.destroy();
    await nothingHeld();
  });

  it('tells of its own want of room in a stream, and lets nobody else be blamed', async () => {
    await open({ runTask: () => Promise.reject(new Error('the thread is gone')) });
    fake.next(LARGE);
    const response = await post(CHAT, 'acme');
    const lines = (await response.text()).trim().split('\n');
    expect(response.status).to.equal(503);
    expect(lines).to.have.length(1);
    fake.next({ garbageAfterLines: 1, garbage: `{"x":"${'x'.repeat(300_000)}"}` });
    const later = await post(CHAT, 'acme');
    expect(later.status).to.equal(200);
    expect((await later.text()).trim().split('\n').at(-1)).to.contain('error');
    await until(() => relay.refusals.length === 2, { withinMs: 1_000, what: 'the refusal' });
    expect(relay.refusals.map(({ code }) => code)).to.deep.equal(['overloaded', 'overloaded']);
    expect(relay.tallies.map(({ outcome }) => outcome)).to.deep.equal([null, null]);
  });
});
