import { expect } from 'chai';
import type { Script } from '../../support/fake-ollama.ts';
import { openRawClient } from '../../support/raw-client.ts';
import { useRelay } from '../../support/relay-suite.ts';
import type { JsonReply } from '../../support/relay-suite.ts';
import { until } from '../../support/until.ts';

const CHAT = { model: 'llama3:latest', messages: [{ role: 'user', content: 'hi' }], stream: false };
const GENERATE = { model: 'llama3:latest', prompt: 'hi', stream: false };

describe('relay/relay-assembled', () => {
  const suite = useRelay();

  function post(script: Script, body: object = CHAT, path = '/api/chat'): Promise<JsonReply> {
    return suite.postJson(script, body, path);
  }

  it('puts a chat together as Ollama does for a client without a stream', async () => {
    const calls = [{ function: { name: 'f', arguments: { a: 1 } } }];
    const { status, reply, headers } = await post({
      tokens: 2,
      thinking: 2,
      toolCalls: calls,
      logprobs: true,
      promptTokens: 9,
    });
    expect(status).to.equal(200);
    expect(headers.get('content-type')).to.equal('application/json; charset=utf-8');
    expect(headers.has('content-length')).to.equal(true);
    expect(headers.get('x-nzgw-max-tokens')).to.equal('1000');
    expect(reply['message']).to.deep.equal({
      role: 'assistant',
      content: ' tok0 tok1',
      thinking: ' hm hm',
      tool_calls: calls,
    });
    expect(reply['logprobs']).to.have.length(5);
    expect(reply).to.include({ done: true, done_reason: 'stop', prompt_eval_count: 9 });
    expect(JSON.parse(suite.fake.inferences[0]?.body ?? '')).to.include({ stream: true });
    expect(suite.relay.tallies[0]).to.include({ outcome: 'ok', outputLines: 5 });
    expect(suite.relay.tallies[0]?.reported).to.deep.equal({
      promptTokens: 9,
      completionTokens: 5,
    });
  });

  it('puts a generation together, from any split', async () => {
    const { reply } = await post({ tokens: 2, splitBytes: 3 }, GENERATE, '/api/generate');
    expect(reply).to.include({ response: ' tok0 tok1', done: true });
    expect(reply['context']).to.deep.equal([1, 2, 3]);
  });

  it('says done:false where the upstream ended without it', async () => {
    const { status, reply } = await post({ endAfterLines: 2 });
    expect(status).to.equal(200);
    expect(reply).to.include({ done: false });
    expect(reply).not.to.have.property('eval_count');
    expect(suite.relay.tallies[0]).to.include({ outcome: 'upstream_incomplete', outputLines: 2 });
  });

  const failures: Record<string, Script> = {
    'an error line': { errorAfterLines: 2, errorText: 'CANARY' },
    'a garbage line': { garbageAfterLines: 2 },
    'a reset': { resetAfterLines: 2, paceMs: 5 },
    'an empty body': { endAfterLines: 0 },
    'a broken last line': { status: 200, body: '{"model":"x","resp' },
  };
  for (const [name, script] of Object.entries(failures)) {
    it(`answers 502 with nothing of the text to ${name}`, async () => {
      const { status, reply } = await post(script);
      expect(status).to.equal(502);
      expect(JSON.stringify(reply)).not.to.match(/tok0|CANARY/);
      expect(suite.relay.tallies[0]?.outcome).to.equal('upstream_error');
    });
  }

  it('bounds the reply, its lines and its bytes', async () => {
    await suite.reopen({ relayLimits: { maxAssembledBytes: 4_096 } });
    expect((await post({ tokens: 1, longLineBytes: 5_000 })).status).to.equal(502);
    await suite.reopen({ relayLimits: { maxLineBytes: 4_096 } });
    expect((await post({ tokens: 1, longLineBytes: 5_000 })).status).to.equal(502);
    await suite.reopen({ relayLimits: { maxReplyBytes: 4_096 } });
    expect((await post({ endless: true })).status).to.equal(502);
    await suite.reopen({ numPredict: 2 });
    expect((await post({ endless: true })).status).to.equal(502);
    for (const request of suite.fake.inferences) await request.closed;
  });

  it('answers 504 to a stall', async () => {
    await suite.reopen({ limits: { chunkTimeoutMs: 100 } });
    expect((await post({ stallAfterLines: 1 })).status).to.equal(504);
  });

  it('ends the work upstream when its client leaves', async () => {
    suite.fake.next({ tokens: 1_000, paceMs: 5 });
    const client = await openRawClient(suite.relay.port);
    const body = JSON.stringify(CHAT);
    client.send(
      `POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const seen = await suite.fake.received(1);
    await until(() => suite.relay.tallies[0]?.outputLines, {
      withinMs: 2_000,
      what: 'the first line',
    });
    client.destroy();
    await seen.closed;
    expect(suite.relay.tallies[0]?.outcome).to.equal('client_gone');
    expect(suite.relay.tallies[0]?.outputLines).to.be.greaterThan(0);
  });

  it('sends a large reply to a slow reader, and cuts one that does not read', async () => {
    await suite.reopen({ relayLimits: { readerTimeoutMs: 300 } });
    const { reply } = await post({ tokens: 500, text: 'z'.repeat(20_000) });
    expect(JSON.stringify(reply).length).to.be.greaterThan(10_000_000);
    suite.fake.next({ tokens: 500, text: 'z'.repeat(20_000) });
    const client = await openRawClient(suite.relay.port);
    client.socket.pause();
    const body = JSON.stringify(CHAT);
    client.send(
      `POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => suite.relay.tallies[1]?.outcome === 'client_gone', {
      withinMs: 3_000,
      what: 'the cut',
    });
    client.destroy();
  });

  it('shows each line to the observer', async () => {
    let seen = 0;
    await suite.reopen({ observer: () => (seen += 1) });
    await post({ tokens: 3 });
    expect(seen).to.equal(4);
  });
});
