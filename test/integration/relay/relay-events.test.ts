import { expect } from 'chai';
import { openRawClient } from '../../support/raw-client.ts';
import type { Script } from '../../support/fake-ollama.ts';
import { useRelay } from '../../support/relay-suite.ts';
import { until } from '../../support/until.ts';

const CHAT = { model: 'llama3:latest', messages: [{ role: 'user', content: 'hi' }], stream: true };
const PROMPT = { model: 'llama3:latest', prompt: 'hi', stream: true };
const DONE = 'data: [DONE]\n\n';

describe('relay: server-sent events', () => {
  const suite = useRelay();

  async function post(
    script: Script,
    path = '/v1/chat/completions',
    body: object = CHAT,
  ): Promise<string> {
    const response = await suite.post(script, body, path);
    expect(response.status).to.equal(200);
    expect(response.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8');
    expect(response.headers.get('x-accel-buffering')).to.equal('no');
    return response.text();
  }

  /** The same whatever request it was. */
  function toShape(events: string): string {
    return events.replaceAll(/"(id)":"[a-z]+-[0-9a-f]{24}"|call_[0-9a-f]{24}/g, '$1');
  }

  const scripts: readonly [string, Script][] = [
    ['plain text', { tokens: 5, text: ' wörd 🦙' }],
    ['text that JSON escapes', { tokens: 3, text: '"<a>\\\n\u0001' }],
    ['text that some take for ends of lines', { tokens: 2, text: 'a\u2028b\u2029c' }],
    ['thinking', { tokens: 2, thinking: 3 }],
    ['tool calls in the last line', toolScript(true)],
    ['tool calls in a line of their own', toolScript(false)],
    ['log probabilities', { tokens: 2, logprobs: true }],
  ];
  for (const [what, script] of scripts) {
    it(`come out the same however the upstream's bytes are split (${what})`, async () => {
      for (const [path, body] of [
        ['/v1/chat/completions', CHAT],
        ['/v1/completions', PROMPT],
      ] as const) {
        const whole = await post(script, path, body);
        expect(whole.endsWith(DONE)).to.equal(true);
        for (const splitBytes of [1, 2, 7]) {
          const split = await post({ ...script, splitBytes }, path, body);
          expect(toShape(split)).to.equal(toShape(whole));
        }
      }
    });
  }

  function toolScript(toolCallsInFinal: boolean): Script {
    const call = { function: { index: 0, name: 'f', arguments: { a: [1, '"'] } } };
    return { tokens: 1, toolCalls: [call, call], toolCallsInFinal };
  }

  it('hold no character that some take for the end of a line', async () => {
    const events = await post({ tokens: 2, text: 'a\u2028b\u2029c' });
    expect(events).to.not.match(/[\u2028\u2029]/);
    expect(events).to.contain('"content":"a\\u2028b\\u2029c"');
  });

  it('keep the counts of the last line, and the bytes that were sent', async () => {
    const events = await post({ tokens: 4, promptTokens: 11 });
    const [tally] = suite.relay.tallies;
    expect(tally?.reported).to.deep.equal({ promptTokens: 11, completionTokens: 4 });
    expect(tally).to.include({ outcome: 'ok', outputLines: 4 });
    expect(tally?.bytesOut).to.equal(events.length);
  });

  it('are translated elsewhere where a line is large, and go on behind it', async () => {
    await suite.reopen({ relayLimits: { largeReplyBytes: 2_000 } });
    const script = { tokens: 3, text: ' é"', longLineBytes: 9_000 };
    const large = await post(script);
    await suite.reopen({});
    expect(toShape(large)).to.equal(toShape(await post(script)));
    expect(large.endsWith(DONE)).to.equal(true);
  });

  it('end with an error event, and with no finish, when the upstream fails', async () => {
    for (const script of [
      { tokens: 9, text: 'good', resetAfterLines: 2 },
      { tokens: 9, text: 'good', errorAfterLines: 2 },
      { tokens: 9, text: 'good', endAfterLines: 2 },
    ]) {
      const events = (await post(script)).split('\n\n');
      expect(events.at(-1)).to.equal('');
      // A reset may overtake what was sent before it.
      const good = events.filter((event) => event.includes('"content":"good"')).length;
      expect(good).to.equal('resetAfterLines' in script ? Math.min(good, 2) : 2);
      expect(JSON.parse(events.at(-2)?.slice('data: '.length) ?? '')).to.have.nested.property(
        'error.code',
        'upstream_error',
      );
      expect(events.join('')).to.not.match(/DONE|"finish_reason":"/);
    }
    expect(suite.relay.tallies.map(({ outcome }) => outcome)).to.deep.equal([
      'upstream_error',
      'upstream_error',
      'upstream_incomplete',
    ]);
  });

  it('end with [DONE], whatever the upstream does behind its last line', async () => {
    await suite.reopen({
      limits: { chunkTimeoutMs: 60_000 },
      beats: { firstMs: 10_000, everyMs: 20 },
    });
    const last = JSON.stringify({
      model: 'm',
      done: true,
      done_reason: 'stop',
      prompt_eval_count: 7,
      eval_count: 2,
    });
    for (const script of [
      { tokens: 2, finalLine: `${last}\n{"model":"m"}` },
      { tokens: 2, finalLine: `${last}\n` },
      { tokens: 2, finalLine: `${last}\n<html>` },
      { tokens: 2, finalLine: `${last}\n{"error":"late"}` },
      { tokens: 2, finalLine: last, holdAtEnd: true },
    ]) {
      const events = await post(script);
      expect(events.endsWith(`"finish_reason":"stop"}]}\n\n${DONE}`)).to.equal(true);
      const tally = suite.relay.tallies.at(-1);
      expect(tally).to.include({ outcome: 'ok' });
      expect(tally?.reported).to.deep.equal({ promptTokens: 7, completionTokens: 2 });
    }
  });

  it('are comments when nothing was sent for as long as is set, and not before', async () => {
    await suite.reopen({ beats: { firstMs: 10_000, everyMs: 400 } });
    const steady = await post({ tokens: 8, paceMs: 100 });
    expect(steady).to.not.include('keep-alive');
    const slow = await post({ tokens: 1, paceMs: 600 });
    expect(slow.split(': keep-alive')).to.have.length(2);
  });

  it('are comments while nothing comes between two tokens', async () => {
    await suite.reopen({ beats: { firstMs: 60, everyMs: 60 } });
    const events = await post({ tokens: 2, paceMs: 250 });
    expect(events).to.match(/\n\n: keep-alive\n\ndata: /);
    expect(events.endsWith(DONE)).to.equal(true);
    const [tally] = suite.relay.tallies;
    expect(tally?.bytesOut).to.equal(events.length);
  });

  it('stop, with the upstream, when the client hangs up', async () => {
    const client = await openRawClient(suite.relay.port);
    suite.fake.next({ tokens: 5_000, paceMs: 5 });
    const body = JSON.stringify(CHAT);
    client.send(
      'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n',
      `Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => client.text.includes('data: '), { withinMs: 2_000, what: 'a token' });
    client.socket.destroy();
    await suite.fake.inferences.at(-1)?.closed;
    await until(() => suite.relay.tallies[0]?.outcome === 'client_gone', {
      withinMs: 1_000,
      what: 'the relay to end',
    });
  });
});
