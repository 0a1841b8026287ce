import { expect } from 'chai';
import { exchangeRaw } from '../support/raw-client.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';

const BODY = '{"model":"llama3","prompt":"hi","stream":false}';

/** A key in an address, a cookie or a trailer is kept or sent on by others: so it is none there. */
describe('security: keys where no key is to be', function () {
  this.timeout(30_000);
  let stack: Stack;
  let caller: MadeKey;
  let port: number;

  before(async () => {
    stack = await startStack({ workers: 1 });
    caller = await stack.makeCaller();
    port = Number(new URL(stack.gateway.url).port);
  });
  after(() => stack.stop());

  function send(target: string, headers: readonly string[], body: string) {
    const start = [`POST ${target} HTTP/1.1`, 'Host: gateway', 'Connection: close'];
    return exchangeRaw(port, [...start, ...headers], body);
  }

  it('are not read, and the refusal asks no browser for a password to keep', async () => {
    const { key } = caller;
    const length = `Content-Length: ${BODY.length}`;
    const chunked = `${BODY.length.toString(16)};key=${key}\r\n${BODY}\r\n0\r\n`;
    const places: Readonly<Record<string, readonly [string, readonly string[], string]>> = {
      query: [`/api/generate?api_key=${key}&key=${key}`, [length], BODY],
      cookie: ['/api/generate', [length, `Cookie: authorization=${key}; x-api-key=${key}`], BODY],
      'another header': ['/api/generate', [length, `Proxy-Authorization: Bearer ${key}`], BODY],
      body: ['/api/generate', [length.replace(/\d+/, '80')], `{"api_key":"${key}"}`.padEnd(80)],
      trailer: [
        '/api/generate',
        ['Transfer-Encoding: chunked', 'Trailer: Authorization'],
        `${chunked}Authorization: Bearer ${key}\r\n\r\n`,
      ],
    };
    for (const [place, [target, headers, body]] of Object.entries(places)) {
      const client = await send(target, headers, body);
      expect(client.status, place).to.equal(401);
      expect(client.text, place).to.not.match(/\r\n(www-authenticate|set-cookie):/i);
      expect(client.text, place).to.not.include(key);
    }
    expect(stack.ollama.inferences).to.have.length(0);

    const right = await send('/api/generate', [length, `X-Api-Key: ${key}`], BODY);
    expect(right.status).to.equal(200);
  });
});
