import { expect } from 'chai';
import { request as requestHttp } from 'node:http';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { askHttp1, askHttp2 } from '../../support/caddy-client.ts';
import type { Answered } from '../../support/caddy-client.ts';
import { findCaddy } from '../../support/find-caddy.ts';
import { startStackBehindCaddy } from '../../support/stack-behind-caddy.ts';
import type { StackBehindCaddy } from '../../support/stack-behind-caddy.ts';
import type { MadeKey } from '../../support/stack.ts';
import { until } from '../../support/until.ts';
import { NO_LIMITS } from '../../../lib/tenants/limit-columns.ts';

const CHAT = JSON.stringify({ model: 'llama3', messages: [{ role: 'user', content: 'hello' }] });

const program = await findCaddy();

function expectHeaders({ headers, body }: Answered): void {
  expect(headers).to.include({
    'strict-transport-security': 'max-age=63072000; includeSubDomains',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
  });
  expect(headers).to.not.have.any.keys('server', 'via', 'x-powered-by', 'alt-svc');
  expect(JSON.stringify(headers) + body).to.not.match(/caddy/i);
}

if (program !== undefined) {
  describe('e2e: answers through Caddy', function () {
    this.timeout(60_000);
    let stack: StackBehindCaddy;
    let caller: MadeKey;
    let limited: MadeKey;

    before(async () => {
      stack = await startStackBehindCaddy({ program });
      caller = await stack.makeCaller();
      limited = await stack.makeKey(await stack.makeTenant(), {
        limits: { ...NO_LIMITS, requestsPerMinute: 1 },
      });
    });
    after(() => stack.stop());

    const chat = (ask: typeof askHttp1, key: string, path = '/api/chat'): Promise<Answered> =>
      ask(stack.caddy, {
        method: 'POST',
        path,
        headers: { authorization: `Bearer ${key}`, 'accept-encoding': 'gzip, br' },
        body: CHAT,
      });

    for (const ask of [askHttp1, askHttp2]) {
      it(`200, 401, 404 and 429 have the headers of a site, over ${ask.name.slice(-5)}`, async () => {
        const ok = await chat(ask, caller.key);
        expect(ok.status).to.equal(200);
        expect(ok.headers).to.not.have.property('content-encoding');
        expectHeaders(ok);
        const stranger = await chat(ask, 'nz_nobody');
        expect(stranger.status).to.equal(401);
        expect(stranger.headers).to.have.property('request-id');
        expectHeaders(stranger);
        const lost = await chat(ask, caller.key, '/api/nothing');
        expect(lost.status).to.equal(404);
        expectHeaders(lost);
        await chat(ask, limited.key);
        const many = await chat(ask, limited.key);
        expect(many.status).to.equal(429);
        expect(many.headers).to.have.property('retry-after');
        expectHeaders(many);
      });
    }

    it('the address of the audit row is the peer, whatever the client says of it', async () => {
      const other = await stack.makeCaller();
      const forged = {
        'x-forwarded-for': '203.0.113.9',
        forwarded: 'for=203.0.113.9',
        'x-real-ip': '203.0.113.9',
        'true-client-ip': '203.0.113.9',
        'cf-connecting-ip': '203.0.113.9',
        'x-client-ip': '203.0.113.9',
      };
      for (const ask of [askHttp1, askHttp2]) {
        const answer = await ask(stack.caddy, {
          method: 'POST',
          path: '/api/chat',
          headers: { authorization: `Bearer ${other.key}`, ...forged },
          body: CHAT,
        });
        expect(answer.status).to.equal(200);
      }
      const rows = await stack.readAudit(other.keyId, 2);
      for (const row of rows) expect(row).to.include({ client_address: '127.0.0.0/24' });
      expect(stack.gateway.output()).to.not.include('203.0.113.');
    });

    it('HTTP without TLS is refused and not led on: the key was sent already', async () => {
      const request = requestHttp({
        host: '127.0.0.1',
        port: stack.caddy.httpPort,
        path: '/api/tags',
        headers: { host: 'api.neuronetz.ai' },
      }).end();
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      answer.resume();
      expect(answer.statusCode).to.equal(403);
      expect(answer.headers).to.not.have.any.keys('server', 'location');
    });

    it('the log holds no key, no header, no query string and no whole address', async () => {
      await askHttp1(stack.caddy, {
        path: '/api/tags?api_key=seen-in-a-query',
        headers: { 'x-api-key': caller.key, cookie: 'seen=in-a-cookie' },
      });
      const written = (): boolean => stack.caddy.output().includes('"uri":"/api/tags?"');
      await until(written, { withinMs: 3_000, what: 'the line of the access log' });
      const text = stack.caddy.output();
      expect(text).to.include('127.0.0.0');
      for (const secret of [caller.key, 'seen-in-a-query', 'seen=in-a-cookie', '"remote_port"']) {
        expect(text).to.not.include(secret);
      }
      expect(text).to.not.match(/"remote_ip":"127\.0\.0\.1"/);
    });
  });

  describe('e2e: Caddy without its gateway', function () {
    this.timeout(60_000);

    it('502 in the form of the dialect, with Retry-After, and no word of Caddy', async () => {
      const stack = await startStackBehindCaddy({ program });
      try {
        await stack.gateway.stop();
        for (const ask of [askHttp1, askHttp2]) {
          const native = await ask(stack.caddy, { method: 'POST', path: '/api/chat', body: CHAT });
          expect(native.status).to.equal(502);
          expect(native.headers).to.include({
            'retry-after': '2',
            'content-type': 'application/json',
            'cache-control': 'no-store',
          });
          expect(JSON.parse(native.body)).to.deep.equal({ error: 'The gateway cannot be reached' });
          expectHeaders(native);
          const openai = await ask(stack.caddy, { path: '/v1/models' });
          expect(JSON.parse(openai.body)).to.deep.equal({
            error: {
              message: 'The gateway cannot be reached',
              type: 'api_error',
              param: null,
              code: 'upstream_error',
            },
          });
          expectHeaders(openai);
        }
        expect(stack.caddy.output()).to.not.include('x-api-key');
      } finally {
        await stack.stop();
      }
    });
  });
}
