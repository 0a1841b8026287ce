import { expect } from 'chai';
import type { ReplyTask } from '../../../lib/relay/reply-task.ts';
import { ROOT } from '../../../lib/root.ts';
import { openThreadPool } from '../../../lib/threads/thread-pool.ts';
import type { ThreadPool } from '../../../lib/threads/thread-pool.ts';
import { startFakeOllama } from '../../support/fake-ollama.ts';
import type { FakeOllama, Script } from '../../support/fake-ollama.ts';
import { openRelay } from '../../support/open-relay.ts';
import type { RelayTest, RelayTestOptions } from '../../support/open-relay.ts';
import { openRawClient } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

const CHAT = { model: 'llama3:latest', messages: [{ role: 'user', content: 'hi' }] };
const GENERATE = { model: 'llama3:latest', prompt: 'hi' };
const EMBED = { model: 'nomic-embed-text:latest', input: ['a', 'b'] };
const LARGE = { longLineBytes: 400_000, tokens: 3 };

describe('relay: large lines and replies, in real threads', () => {
  let fake: FakeOllama;
  let relay: RelayTest;
  let threads: ThreadPool;
  let types: string[];

  before(() => {
    threads = openThreadPool({ entry: new URL('workers/bodies.ts', ROOT), maxQueue: 4 });
  });

  after(async () => {
    await threads.close();
  });

  beforeEach(async () => {
    types = [];
    fake = await startFakeOllama();
    relay = await openRelay({ origins: [fake.url], runTask });
  });

  afterEach(async () => {
    await relay.close();
    await fake.close();
  });

  function runTask<T>(task: ReplyTask, transfer: readonly ArrayBuffer[]): Promise<T | null> {
    types.push(task.type);
    return threads.runReserved<T>(task, transfer);
  }

  async function reopen(options: Partial<RelayTestOptions>): Promise<void> {
    await relay.close();
    relay = await openRelay({ origins: [fake.url], runTask, ...options });
  }

  async function post(
    script: Script,
    body: object = CHAT,
    path = '/api/chat',
  ): Promise<{ status: number; text: string; headers: Headers }> {
    fake.next(script);
    const response = await fetch(relay.url + path, { method: 'POST', body: JSON.stringify(body) });
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  const noThread = (): Promise<never> => Promise.reject(new Error('the thread is gone'));
  const context = `[${'123456,'.repeat(60_000)}1]`;
  const finalLine = `{"model":"m","response":"","done":true,"eval_count":3,"context":${context}}`;

  it('passes a large line in its place, and the lines around it', async () => {
    const seen: number[] = [];
    await reopen({ observer: (line) => seen.push(line.length) });
    const { text } = await post({ ...LARGE, garbageAfterLines: 0, garbage: '{"x":1}' });
    const lines = text.trim().split('\n');
    expect(lines.map((line) => line.length > 400_000)).to.deep.equal([
      ...[false, true],
      ...[false, false, false],
    ]);
    expect(lines[2]).to.contain(' tok1');
    expect(types).to.deep.equal(['line-facts']);
    expect(seen.map((length) => length - 1)).to.deep.equal(lines.map((line) => line.length));
    expect(relay.tallies[0]).to.include({ outcome: 'ok', outputLines: 4 });
  });

  it('reads a large last line elsewhere, with or without its newline', async () => {
    const { text } = await post({ finalLine }, GENERATE, '/api/generate');
    expect(text.endsWith(`${finalLine}\n`)).to.equal(true);
    const alone = await post({ status: 200, body: finalLine }, GENERATE, '/api/generate');
    expect(alone.text).to.equal(`${finalLine}\n`);
    expect(types).to.deep.equal(['line-facts', 'line-facts']);
    for (const tally of relay.tallies) {
      expect(tally.outcome).to.equal('ok');
      expect(tally.reported).to.deep.equal({ promptTokens: null, completionTokens: 3 });
    }
  });

  it('passes no large line that fails or is none', async () => {
    const long = 'x'.repeat(300_000);
    for (const garbage of [`{"error":"${long}"}`, `{"model":"m","error":"${long}"}`, long]) {
      const { status } = await post({ garbageAfterLines: 0, garbage });
      expect(status).to.equal(502);
      const later = await post({ garbageAfterLines: 1, garbage });
      expect(later.text).not.to.contain('xxx');
      expect(later.text.trim().split('\n')).to.have.length(2);
    }
  });

  it('assembles what has large lines as what has none', async () => {
    const text = 'a"\\\n🐎é';
    const calls = [{ function: { name: 'f', arguments: {} } }];
    const script = { ...LARGE, text, toolCalls: calls, logprobs: true, toolCallsInFinal: true };
    const { text: body, headers } = await post(script, { ...CHAT, stream: false });
    const reply = JSON.parse(body) as { message: object; logprobs: unknown[] };
    const content = text.padEnd(400_000, 'x') + text + text;
    expect(reply.message).to.deep.equal({ role: 'assistant', content, tool_calls: calls });
    expect(reply.logprobs).to.have.length(3);
    expect(headers.get('content-length')).to.equal(String(Buffer.byteLength(body)));
    expect(types).to.deep.equal(['line-apart']);
    expect(relay.tallies[0]).to.include({ outcome: 'ok', outputLines: 4 });
    const generated = await post({ finalLine }, { ...GENERATE, stream: false }, '/api/generate');
    const whole = JSON.parse(generated.text) as { context: unknown; response: string };
    expect(whole.context).to.have.length(60_001);
    expect(whole.response).to.equal(' tok0 tok1 tok2');
  });

  it('answers 502 to a large line that is none, for a client without a stream', async () => {
    const garbage = 'x'.repeat(300_000);
    const { status } = await post({ garbageAfterLines: 1, garbage }, { ...CHAT, stream: false });
    expect(status).to.equal(502);
  });

  it('answers 503 when the thread dies, and charges what was told', async () => {
    await reopen({ runTask: noThread });
    for (const stream of [true, false]) {
      const { status, headers } = await post(LARGE, { ...CHAT, stream });
      expect(status).to.equal(503);
      expect(headers.get('retry-after')).to.equal('1');
    }
    const { status } = await post({ dimensions: 50_000, promptTokens: 77 }, EMBED, '/api/embed');
    expect(status).to.equal(503);
    expect(relay.tallies[2]?.reported?.promptTokens).to.equal(77);
    expect(relay.refusals.map(({ code }) => code)).to.deep.equal(Array(3).fill('overloaded'));
  });

  for (const [name, body, path] of [
    ['streamed', CHAT, '/api/chat'],
    ['assembled', { ...CHAT, stream: false }, '/api/chat'],
    ['embedded', EMBED, '/api/embed'],
  ] as const) {
    it(`answers 503 when replies hold too much, and holds nothing after it (${name})`, async () => {
      await reopen({ memoryBytes: 100_000 });
      const script = path === '/api/embed' ? { dimensions: 50_000 } : LARGE;
      const { status } = await post(script, body, path);
      expect(status).to.equal(503);
      const seen = await fake.received(1);
      await seen.closed;
      await until(() => relay.memory.heldBytes === 0, { withinMs: 1_000, what: 'the memory' });
      expect((await post({ tokens: 2 }, body, path)).status).to.equal(200);
      await until(() => relay.memory.heldBytes === 0, { withinMs: 1_000, what: 'the memory' });
    });
  }

  it('holds a reply until its client has taken it or is gone', async () => {
    fake.next({ tokens: 500, text: 'z'.repeat(20_000) });
    const client = await openRawClient(relay.port);
    client.socket.pause();
    const body = JSON.stringify({ ...CHAT, stream: false });
    client.send(
      `POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => relay.tallies[0]?.outcome === 'ok', { withinMs: 3_000, what: 'the reply' });
    expect(relay.memory.heldBytes).to.be.within(10_000_000, 11_000_000);
    client.destroy();
    await until(() => relay.memory.heldBytes === 0, { withinMs: 1_000, what: 'the memory' });
  });

  it('holds what a thread works on although the client is gone', async () => {
    const { promise, resolve } = Promise.withResolvers<null>();
    await reopen({ runTask: () => promise });
    fake.next({ dimensions: 50_000 });
    const client = await openRawClient(relay.port);
    const body = JSON.stringify(EMBED);
    client.send(
      `POST /api/embed HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => relay.tallies[0]?.reported, { withinMs: 2_000, what: 'the task' });
    client.destroy();
    await until(() => relay.tallies[0]?.outcome, { withinMs: 2_000, what: 'the outcome' });
    expect(relay.tallies[0]).to.include({ outcome: 'client_gone' });
    expect(relay.memory.heldBytes).to.be.greaterThan(400_000);
    resolve(null);
    await until(() => relay.memory.heldBytes === 0, { withinMs: 1_000, what: 'the memory' });
  });
});
