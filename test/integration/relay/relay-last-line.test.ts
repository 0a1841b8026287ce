import { expect } from 'chai';
import { startFakeOllama } from '../../support/fake-ollama.ts';
import type { FakeOllama, Script } from '../../support/fake-ollama.ts';
import { openRelay } from '../../support/open-relay.ts';
import type { RelayTest, RelayTestOptions } from '../../support/open-relay.ts';
import { openRawClient } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

const CHAT = { model: 'llama3:latest', messages: [{ role: 'user', content: 'hi' }] };
const USAGE = { promptTokens: 5_000, completionTokens: 900 };
const TOLD = { promptTokens: 5_000, evalTokens: 900, tokens: 3 };

describe('relay: the last line', () => {
  let fake: FakeOllama;
  let relay: RelayTest;

  beforeEach(async () => {
    fake = await startFakeOllama();
    relay = await openRelay({ origins: [fake.url] });
  });

  afterEach(async () => {
    await relay.close();
    await fake.close();
  });

  async function reopen(options: Partial<RelayTestOptions>): Promise<void> {
    await relay.close();
    relay = await openRelay({ origins: [fake.url], ...options });
  }

  async function post(script: Script, stream = true): Promise<{ status: number; text: string }> {
    fake.next(script);
    const body = JSON.stringify({ ...CHAT, stream });
    const response = await fetch(`${relay.url}/api/chat`, { method: 'POST', body });
    return { status: response.status, text: await response.text() };
  }

  for (const stream of [true, false]) {
    const form = stream ? 'streamed' : 'assembled';

    it(`counts as told although the client leaves before the body ends (${form})`, async () => {
      fake.next({ ...TOLD, holdAtEnd: true });
      const client = await openRawClient(relay.port);
      const body = JSON.stringify({ ...CHAT, stream });
      client.send(
        `POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      await until(() => relay.tallies[0]?.outputLines === 4, {
        withinMs: 2_000,
        what: 'all lines',
      });
      client.destroy();
      await until(() => relay.tallies[0]?.outcome, { withinMs: 2_000, what: 'the outcome' });
      expect(relay.tallies[0]).to.include({ outcome: 'client_gone', outputLines: 3 });
      expect(relay.tallies[0]?.reported).to.deep.equal(USAGE);
    });

    it(`counts as told although the body breaks after it (${form})`, async () => {
      await reopen({ limits: { chunkTimeoutMs: 100 } });
      await post({ ...TOLD, holdAtEnd: true }, stream);
      expect(relay.tallies[0]).to.include({ outcome: 'upstream_error', outputLines: 3 });
      expect(relay.tallies[0]?.reported).to.deep.equal(USAGE);
    });

    it(`is the one that told the usage, whatever bad line follows (${form})`, async () => {
      const line = JSON.stringify({
        model: 'm',
        done: true,
        prompt_eval_count: 5_000,
        eval_count: 9,
      });
      await post({ finalLine: `${line}\n<html>` }, stream);
      expect(relay.tallies[0]).to.include({ outcome: 'upstream_error', outputLines: 3 });
      expect(relay.tallies[0]?.reported).to.include({ promptTokens: 5_000 });
    });

    it(`with an error in it is never passed on (${form})`, async () => {
      const finalLine = '{"model":"llama3:latest","error":"CANARY /models/x"}';
      const { text } = await post({ finalLine }, stream);
      expect(text).to.match(/\{"error":"The model server failed while it replied."\}\n?$/);
      expect(text).not.to.contain('CANARY');
      expect(relay.tallies[0]).to.include({ outcome: 'upstream_error', reported: null });
    });
  }

  it('may speak of errors in its text, its values and inside its members', async () => {
    const calls = [{ function: { name: 'f', arguments: { error: 'none' } } }];
    const { text } = await post({ text: '"error": "x"', tokens: 1, toolCalls: calls });
    expect(text.trim().split('\n')).to.have.length(3);
    const value = await post({ text: 'error', tokens: 1 });
    expect(value.text).to.contain('"content":"error"');
    expect(relay.tallies.map(({ outcome }) => outcome)).to.deep.equal(['ok', 'ok']);
  });

  it('ends the reply for the client, not for the count, when it is content', async () => {
    await post({ endAfterLines: 2 });
    expect(relay.tallies[0]).to.include({ outcome: 'upstream_incomplete', outputLines: 2 });
  });
});
