import { expect } from 'chai';
import type { Script } from '../../support/fake-ollama.ts';
import { openRawClient } from '../../support/raw-client.ts';
import { useRelay } from '../../support/relay-suite.ts';
import { until } from '../../support/until.ts';

const CHAT = { model: 'llama3:latest', messages: [{ role: 'user', content: 'hi' }] };

describe('relay/relay-native', () => {
  const suite = useRelay();

  async function post(script: Script, body: object = CHAT, path = '/api/chat'): Promise<Answer> {
    const response = await suite.post(script, body, path);
    const text = await response.text();
    return { status: response.status, text, lines: text.split('\n').slice(0, -1), response };
  }

  interface Answer {
    readonly status: number;
    readonly text: string;
    readonly lines: string[];
    readonly response: Response;
  }

  it('passes the lines as the upstream sent them and keeps the counts of the last', async () => {
    const answer = await post({ tokens: 4, promptTokens: 11 });
    expect(answer.status).to.equal(200);
    expect(answer.response.headers.get('content-type')).to.equal('application/x-ndjson');
    expect(answer.lines).to.have.length(5);
    const direct = await fetch(`${suite.fake.url}/api/chat`, {
      method: 'POST',
      body: JSON.stringify({ ...CHAT, options: { num_predict: 4 } }),
    });
    expect(answer.lines[0]).to.equal((await direct.text()).split('\n')[0]);
    const [tally] = suite.relay.tallies;
    expect(tally?.reported).to.deep.equal({ promptTokens: 11, completionTokens: 4 });
    expect(tally).to.include({ outcome: 'ok', outputLines: 4, written: true });
    expect(tally?.bytesOut).to.equal(answer.text.length);
    expect(tally?.firstByteAtMs).to.be.a('number');
  });

  it('tells the ids, the granted tokens and the headers it is given, none of the upstream', async () => {
    await suite.reopen({ headers: ['x-ratelimit-limit-requests', '60'], numPredict: 33 });
    const { response } = await post({ headers: { 'set-cookie': 'a=1', 'x-upstream': 'y' } });
    const id = response.headers.get('request-id');
    expect(id).to.match(/^[0-9a-f-]{36}$/);
    expect(response.headers.get('x-request-id')).to.equal(id);
    expect(response.headers.get('cache-control')).to.equal('no-store');
    expect(response.headers.get('x-nzgw-max-tokens')).to.equal('33');
    expect(response.headers.get('x-ratelimit-limit-requests')).to.equal('60');
    expect(response.headers.has('set-cookie')).to.equal(false);
    expect(response.headers.has('x-upstream')).to.equal(false);
  });

  it('joins lines that were split at every byte', async () => {
    const whole = await post({ tokens: 5, text: ' žlutý 🐎' });
    const split = await post({ tokens: 5, text: ' žlutý 🐎', splitBytes: 1 });
    expect(split.text).to.equal(whole.text);
  });

  it('passes thinking, tool calls, log probabilities, and an early done_reason', async () => {
    const script = { thinking: 2, toolCalls: [{ function: { name: 'f', arguments: {} } }] };
    const answer = await post({ ...script, logprobs: true, done: false, tokens: 1 });
    expect(answer.lines).to.have.length(5);
    expect(suite.relay.tallies[0]).to.include({ outcome: 'ok', outputLines: 4 });
  });

  it('counts a last line that carries content', async () => {
    const toolCalls = [{ function: { name: 'f', arguments: {} } }];
    await post({ tokens: 1, toolCalls, toolCallsInFinal: true });
    expect(suite.relay.tallies[0]).to.include({ outcome: 'ok', outputLines: 2 });
  });

  it('passes a line of 5 MB', async () => {
    const answer = await post({ tokens: 1, longLineBytes: 5_000_000 });
    expect(answer.lines[0]?.length).to.be.greaterThan(5_000_000);
    expect(suite.relay.tallies[0]?.outcome).to.equal('ok');
  });

  it('cuts a line that is longer than allowed', async () => {
    await suite.reopen({ relayLimits: { maxLineBytes: 2_048 } });
    for (const longLineBytes of [3_000, 1_000_000]) {
      const answer = await post({ tokens: 1, longLineBytes });
      expect(answer.status).to.equal(502);
      expect(answer.text).to.contain('line that is too long');
    }
  });

  it('answers 502 to an error line that comes first', async () => {
    const answer = await post({ errorAfterLines: 0, errorText: 'CANARY' });
    expect(answer.status).to.equal(502);
    expect(answer.text).to.match(/^\{"error":"The model server/);
    expect(answer.text).to.not.contain('CANARY');
    expect(suite.relay.tallies[0]).to.include({ outcome: 'upstream_error', written: true });
  });

  it('answers 400 to one that its client can mend, however it is cut', async () => {
    for (const splitBytes of [1, 7, 65_536]) {
      const errorText = '"m" does not support thinking';
      const answer = await post({ errorAfterLines: 0, errorText, splitBytes });
      expect(answer.status).to.equal(400);
      expect(answer.text).to.equal('{"error":"This model does not support `think`."}');
    }
  });

  it('ends with an error line of its own when one comes in the middle', async () => {
    const answer = await post({ errorAfterLines: 2, errorText: 'CANARY' });
    expect(answer.status).to.equal(200);
    expect(answer.lines).to.have.length(3);
    expect(answer.lines[2]).to.equal('{"error":"The model server failed while it replied."}');
    expect(suite.relay.tallies[0]).to.include({ outcome: 'upstream_error', outputLines: 2 });
  });

  for (const garbage of ['<html>', '[1]', '', '"x"', 'null', '{"a":']) {
    it(`treats ${JSON.stringify(garbage)} as a line as a failure`, async () => {
      const first = await post({ garbageAfterLines: 0, garbage });
      expect(first.status).to.equal(502);
      const later = await post({ garbageAfterLines: 1, garbage });
      expect(later.lines).to.have.length(2);
      expect(later.lines[1]).to.match(/^\{"error":"The model server sent/);
      expect(suite.relay.tallies[1]?.outcome).to.equal('upstream_error');
    });
  }

  it('passes an object that begins otherwise, once it was read', async () => {
    const answer = await post({ garbageAfterLines: 1, garbage: '{"created_at":"x","model":"m"}' });
    expect(answer.lines).to.have.length(5);
    expect(suite.relay.tallies[0]?.outcome).to.equal('ok');
  });

  it('ends normally, marked incomplete, where the upstream ends without done', async () => {
    const answer = await post({ endAfterLines: 2 });
    expect(answer.status).to.equal(200);
    expect(answer.lines).to.have.length(2);
    expect(suite.relay.tallies[0]).to.include({ outcome: 'upstream_incomplete', outputLines: 2 });
    expect(suite.relay.tallies[0]?.reported).to.equal(null);
  });

  it('answers 502 to a body without a line', async () => {
    expect(await post({ endAfterLines: 0 })).to.include({ status: 502 });
  });

  it('takes a last line without its newline', async () => {
    const line = '{"model":"llama3:latest","response":"","done":true,"eval_count":1}';
    const answer = await post({ status: 200, body: line });
    expect(answer.text).to.equal(`${line}\n`);
    expect(suite.relay.tallies[0]?.outcome).to.equal('ok');
    expect(await post({ status: 200, body: '{"model":"x","resp' })).to.include({ status: 502 });
  });

  it('ends with an error line when the last line cannot be read', async () => {
    const answer = await post({ finalLine: '{"model":"llama3", broken' });
    expect(answer.lines.at(-1)).to.match(/^\{"error"/);
    expect(suite.relay.tallies[0]?.outcome).to.equal('upstream_error');
  });

  for (const at of ['resetAfterLines', 'dropAfterLines'] as const) {
    it(`is a status before the head and an error line after it (${at})`, async () => {
      const before = await post({ [at]: 0 });
      expect(before.status).to.equal(502);
      const later = await post({ [at]: 3, tokens: 5, paceMs: 5 });
      expect(later.status).to.equal(200);
      expect(later.lines.at(-1)).to.equal('{"error":"The connection to the model server broke."}');
      expect(suite.relay.tallies[1]?.outcome).to.equal('upstream_error');
      expect(suite.fake.inferences).to.have.length(2);
    });
  }

  it('ends a stream that stalls, and frees the upstream', async () => {
    await suite.reopen({ limits: { chunkTimeoutMs: 150 } });
    const answer = await post({ stallAfterLines: 2 });
    expect(answer.lines).to.have.length(3);
    expect(answer.lines[2]).to.equal('{"error":"The model server stopped sending."}');
    const seen = await suite.fake.received(1);
    await seen.closed;
    expect(seen.completed).to.equal(false);
  });

  it('cuts what does not end: by lines, by bytes, by time', async () => {
    await suite.reopen({ numPredict: 3 });
    const byLines = await post({ endless: true });
    expect(byLines.lines).to.have.length(3 + 256 + 1);
    expect(byLines.lines.at(-1)).to.match(/^\{"error":"The model server sent more/);
    await suite.reopen({ relayLimits: { maxReplyBytes: 20_000 }, numPredict: 100_000 });
    const byBytes = await post({ endless: true });
    expect(byBytes.text.length).to.be.lessThan(21_000);
    await suite.reopen({ limits: { requestTimeoutMs: 200 }, numPredict: 100_000 });
    const byTime = await post({ endless: true, paceMs: 1 });
    expect(byTime.lines.at(-1)).to.match(/^\{"error":"The request took longer/);
    for (const request of suite.fake.inferences) await request.closed;
    expect(suite.fake.inFlight).to.equal(0);
  });

  for (const [evalTokens, expected] of [
    [null, null],
    [-5, null],
    ['7', null],
    [2.5, 3],
    [1e300, 2_147_483_647],
  ] as const) {
    it(`reads ${JSON.stringify(evalTokens)} as ${JSON.stringify(expected)} tokens`, async () => {
      await post({ evalTokens, promptTokens: evalTokens });
      expect(suite.relay.tallies[0]?.reported).to.deep.equal({
        promptTokens: expected,
        completionTokens: expected,
      });
    });
  }

  it('destroys the upstream within 250 ms of a hang-up and keeps the lines so far', async () => {
    suite.fake.next({ tokens: 1_000, paceMs: 10 });
    const client = await openRawClient(suite.relay.port);
    const body = JSON.stringify(CHAT);
    client.send(
      `POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await client.untilText('tok5');
    const leftAtMs = performance.now();
    client.destroy();
    const seen = await suite.fake.received(1);
    await seen.closed;
    expect(performance.now() - leftAtMs).to.be.lessThan(250);
    await until(() => suite.relay.tallies[0]?.outcome, { withinMs: 1_000, what: 'the outcome' });
    expect(suite.relay.tallies[0]?.outcome).to.equal('client_gone');
    expect(suite.relay.tallies[0]?.outputLines).to.be.within(6, 30);
  });

  it('cuts a reader that takes nothing, and stops reading meanwhile', async () => {
    await suite.reopen({ relayLimits: { readerTimeoutMs: 300 }, numPredict: 1_000_000 });
    suite.fake.next({ endless: true, text: 'x'.repeat(20_000), tokens: 1 });
    const client = await openRawClient(suite.relay.port);
    const body = JSON.stringify(CHAT);
    client.socket.pause();
    client.send(
      `POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const seen = await suite.fake.received(1);
    await seen.closed;
    expect(suite.relay.tallies[0]?.outcome).to.equal('client_gone');
    client.destroy();
  });

  it('waits for a slow reader that does read', async () => {
    await suite.reopen({ numPredict: 1_000_000, relayLimits: { readerTimeoutMs: 1_000 } });
    suite.fake.next({ tokens: 1_000, text: 'y'.repeat(20_000) });
    const client = await openRawClient(suite.relay.port);
    const body = JSON.stringify(CHAT);
    client.send(
      `POST /api/chat HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    for (let i = 0; i < 10; i += 1) {
      client.socket.pause();
      await new Promise((resolve) => setTimeout(resolve, 20));
      client.socket.resume();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await client.untilClosed();
    // A slow reader's lines are cut into several chunks of HTTP.
    const text = client.body.replaceAll(/\r\n[\da-f]+\r\n/g, '');
    expect(text.split('y'.repeat(20_000))).to.have.length(1_001);
    expect(suite.relay.tallies[0]).to.include({ outcome: 'ok', outputLines: 1_000 });
  });

  it('shows each line to the observer, in order', async () => {
    const seen: string[] = [];
    await suite.reopen({ observer: (line) => seen.push(line.toString()) });
    const answer = await post({ tokens: 3, splitBytes: 7 });
    expect(seen.join('')).to.equal(answer.text);
    expect(seen).to.have.length(4);
  });
});
