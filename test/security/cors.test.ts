import { expect } from 'chai';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';

const PAGE = 'https://chat.example.com';
const ELSEWHERE = 'https://evil.example';
const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };

/** Headers that a browser lets every page read (Fetch, "CORS-safelisted response-header name"). */
const SAFE = ['cache-control', 'content-language', 'content-length', 'content-type', 'expires'];

/** hardening.md T30–T34. */
describe('security: which pages may call from a browser', function () {
  this.timeout(30_000);
  let stack: Stack;
  let caller: MadeKey;

  before(async () => {
    stack = await startStack({ env: { NZGW_CORS_ORIGINS: `${PAGE},http://localhost:3000` } });
    const tenantId = await stack.makeTenant();
    caller = await stack.makeKey(tenantId);
  });
  after(() => stack.stop());

  function ask(key: string | undefined, body: object, origin = PAGE): Promise<Response> {
    const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const headers = { origin, ...authorization };
    return post(`${stack.gateway.url}/api/chat`, key, body, { headers });
  }

  function expectReadable({ headers }: Response): void {
    expect(headers.get('access-control-allow-origin')).to.equal(PAGE);
    expect(headers.get('vary')).to.equal('Origin');
    expect(headers.get('access-control-allow-credentials')).to.equal(null);
    const exposed = (headers.get('access-control-expose-headers') ?? '').split(', ');
    const told = [...headers.keys()].filter((name) => /^x-|^retry-|request-id$/.test(name));
    expect(told).to.not.deep.equal([]);
    expect(exposed).to.include.members(told.filter((name) => !SAFE.includes(name)));
  }

  it('a preflight needs no key, and asks nothing of anyone behind the gateway', async () => {
    const before = stack.ollama.inferences.length;
    for (const path of ['/api/chat', '/v1/chat/completions', '/api/pull', '/nowhere']) {
      const response = await fetch(`${stack.gateway.url}${path}`, {
        method: 'OPTIONS',
        headers: {
          origin: PAGE,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type,x-evil,x-stainless-lang',
        },
      });
      expect(response.status, path).to.equal(204);
      expect(await response.text()).to.equal('');
      expect(response.headers.get('access-control-allow-origin')).to.equal(PAGE);
      expect(response.headers.get('access-control-allow-headers')).to.equal(
        'authorization, content-type, x-stainless-lang',
      );
      expect(response.headers.get('access-control-max-age')).to.equal('600');
    }
    expect(stack.ollama.inferences).to.have.length(before);
  });

  it('a stream can be read, and its origin goes no further than the gateway', async () => {
    stack.ollama.next({ tokens: 3, text: 'ab' });
    const response = await ask(caller.key, CHAT);
    expect(response.status).to.equal(200);
    expectReadable(response);
    expect((await response.text()).split('\n').filter((line) => line !== '')).to.have.length(4);
    const sent = stack.ollama.inferences.at(-1)?.rawHeaders.join('\n') ?? '';
    expect(sent).to.not.match(/origin|referer|chat\.example/i);
  });

  it('refusals can be read too, or a page could not tell its user why', async () => {
    const limited = await stack.makeKey(caller.tenantId, {
      limits: { ...NO_LIMITS, requestsPerMinute: 0 },
    });
    const spent = await stack.makeKey(caller.tenantId, {
      limits: { ...NO_LIMITS, budgetTokens: 0, budgetPeriod: 'day' },
    });
    const once = await stack.makeKey(caller.tenantId, {
      limits: { ...NO_LIMITS, requestsPerMinute: 1 },
    });
    await (await ask(once.key, CHAT)).text();
    const cases = [
      ['no key', 401, await ask(undefined, CHAT)],
      ['bad body', 400, await ask(caller.key, [])],
      ['a model that is not there', 403, await ask(caller.key, { ...CHAT, model: 'nowhere' })],
      ['a limit of none', 400, await ask(limited.key, CHAT)],
      ['a second one in the minute', 429, await ask(once.key, CHAT)],
      ['a budget of none', 400, await ask(spent.key, CHAT)],
    ] as const;
    for (const [what, status, response] of cases) {
      expect(response.status, what).to.equal(status);
      expectReadable(response);
      await response.text();
    }
    const missing = await fetch(`${stack.gateway.url}/nowhere`, {
      headers: { origin: PAGE, authorization: `Bearer ${caller.key}` },
    });
    expect(missing.status).to.equal(404);
    expectReadable(missing);
  });

  it('to a page of another origin nothing is told, with or without a key', async () => {
    for (const key of [undefined, caller.key]) {
      const response = await ask(key, CHAT, ELSEWHERE);
      expect(response.status).to.equal(key === undefined ? 401 : 200);
      const names = [...response.headers.keys()];
      expect(names.filter((name) => name.startsWith('access-control-'))).to.deep.equal([]);
      expect(response.headers.get('vary')).to.equal('Origin');
      await response.text();
    }
    const preflight = await fetch(`${stack.gateway.url}/api/chat`, {
      method: 'OPTIONS',
      headers: { origin: ELSEWHERE, 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).to.equal(401);
    await preflight.text();
  });
});

describe('security: without NZGW_CORS_ORIGINS no page may call', function () {
  this.timeout(30_000);
  let stack: Stack;

  before(async () => {
    stack = await startStack({ workers: 1 });
  });
  after(() => stack.stop());

  it('an OPTIONS is a route like any other that is not there', async () => {
    const { key } = await stack.makeCaller();
    const headers = { origin: PAGE, 'access-control-request-method': 'POST' };
    const url = `${stack.gateway.url}/api/chat`;
    const responses = [
      [401, await fetch(url, { method: 'OPTIONS', headers })],
      [404, await fetch(url, { method: 'OPTIONS', headers: { ...headers, 'x-api-key': key } })],
      [200, await post(url, key, CHAT, { headers: { ...headers, 'x-api-key': key } })],
    ] as const;
    for (const [status, response] of responses) {
      expect(response.status).to.equal(status);
      const names = [...response.headers.keys()];
      expect(names.filter((name) => /^vary$|^access-control-/.test(name))).to.deep.equal([]);
      await response.text();
    }
  });
});
