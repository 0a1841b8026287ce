import { expect } from 'chai';
import OpenAI from 'openai';
import { openRawClient } from '../support/raw-client.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const CHAT = { model: 'llama3', messages: [{ role: 'user' as const, content: 'hello' }] };
const COMMENT = ': keep-alive\n\n';

describe('e2e: an OpenAI client whose model still loads hears that it waits', function () {
  this.timeout(30_000);
  let stack: Stack;
  let caller: MadeKey;

  before(async () => {
    stack = await startStack({
      env: { NZGW_EVENTS_FIRST_SECONDS: '1', NZGW_EVENTS_EVERY_SECONDS: '1' },
    });
    caller = await stack.makeCaller();
  });
  after(() => stack.stop());

  const ask = (body: object = { ...CHAT, stream: true }): Promise<Response> =>
    post(`${stack.gateway.url}/v1/chat/completions`, caller.key, body);

  it('with the head and comments before the first token, which the client skips', async () => {
    stack.ollama.next({ tokens: 2, text: 'a', firstByteMs: 2_600 });
    const response = await ask();
    expect(response.status).to.equal(200);
    expect(response.headers.get('x-nzgw-max-tokens')).to.equal('8192');
    const text = await response.text();
    expect(text).to.match(/^(: keep-alive\n\n){2,}data: \{/);
    expect(text.lastIndexOf(COMMENT)).to.be.below(text.indexOf('data: '));
    expect(text.endsWith('data: [DONE]\n\n')).to.equal(true);

    stack.ollama.next({ tokens: 2, text: 'a', firstByteMs: 1_500 });
    const client = new OpenAI({ baseURL: `${stack.gateway.url}/v1`, apiKey: caller.key });
    let said = '';
    for await (const { choices } of await client.chat.completions.create({
      ...CHAT,
      stream: true,
    })) {
      said += choices[0]?.delta.content ?? '';
    }
    expect(said).to.equal('aa');
  });

  it('and of a failure after the head, as an event, which is charged and audited as one', async () => {
    const failing = await stack.makeCaller();
    const sent: number[] = [];
    for (const script of [
      { firstByteMs: 1_300, status: 500 },
      { firstByteMs: 1_300, resetAfterLines: 0 },
    ]) {
      stack.ollama.next(script);
      const response = await post(`${stack.gateway.url}/v1/chat/completions`, failing.key, {
        ...CHAT,
        stream: true,
      });
      expect(response.status).to.equal(200);
      const text = await response.text();
      sent.push(text.length);
      expect(text).to.match(
        /^(: keep-alive\n\n)+data: \{"error":\{.*"code":"upstream_error"\}\}\n\n$/,
      );
    }
    const rows = await stack.readAudit(failing.keyId, 2);
    for (const row of rows)
      expect(row).to.include({ outcome: 'upstream_error', dialect: 'openai' });
    expect(rows.map((row) => Number(row['bytes_out']))).to.deep.equal(sent);
  });

  it('but a slow upload is no wait for the model: a refusal after it is a status', async () => {
    stack.ollama.next({ status: 500, firstByteMs: 100 });
    const body = JSON.stringify({ ...CHAT, stream: true });
    const client = await openRawClient(Number(new URL(stack.gateway.url).port));
    client.send(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${caller.key}\r\n`,
      `Content-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
    );
    const begunAtMs = performance.now();
    await until(() => performance.now() - begunAtMs > 1_300, { withinMs: 3_000, what: 'the time' });
    client.send(body.slice(5));
    await until(() => client.text.includes('"code"'), { withinMs: 3_000, what: 'the refusal' });
    expect(client.status).to.equal(502);
    client.destroy();
  });

  it('and of its revocation, with the code of a stream that had begun', async () => {
    const revoked = await stack.makeKey(caller.tenantId);
    stack.ollama.next({ firstByteMs: 8_000 });
    const response = await post(`${stack.gateway.url}/v1/chat/completions`, revoked.key, {
      ...CHAT,
      stream: true,
    });
    const seen = stack.ollama.inferences.at(-1);
    await stack.database.query('insert into gateway.revocations (key_id) values ($1)', [
      revoked.keyId,
    ]);
    const text = await response.text();
    expect(text).to.match(/^(: keep-alive\n\n)+data: \{"error":.*"code":"revoked"\}\}\n\n$/);
    await seen?.closed;
    const [row] = await stack.readAudit(revoked.keyId, 1);
    expect(row).to.include({ outcome: 'revoked' });
  });

  it('its hang-up while it waits frees the upstream', async () => {
    stack.ollama.next({ firstByteMs: 20_000 });
    const stop = new AbortController();
    const response = await post(
      `${stack.gateway.url}/v1/chat/completions`,
      caller.key,
      { ...CHAT, stream: true },
      { signal: stop.signal },
    );
    const seen = stack.ollama.inferences.at(-1);
    expect(response.status).to.equal(200);
    stop.abort();
    await response.text().catch(() => undefined);
    await until(
      async () => {
        await seen?.closed;
        return true;
      },
      { withinMs: 1_000, what: 'the upstream to be freed' },
    );
    expect(seen?.completed).to.equal(false);
  });

  it('nothing is sent early to who asked for no stream, nor to a native client', async () => {
    stack.ollama.next({ tokens: 1, text: 'a', firstByteMs: 1_500 });
    const whole = await ask(CHAT);
    expect(await whole.json()).to.have.nested.property('choices[0].message.content', 'a');
    stack.ollama.next({ tokens: 1, firstByteMs: 1_500 });
    const native = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT);
    expect(await native.text()).to.not.include('keep-alive');
  });
});
