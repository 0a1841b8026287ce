import { expect } from 'chai';
import { openRawTls } from '../../support/caddy-client.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { findCaddy } from '../../support/find-caddy.ts';
import { startStackBehindCaddy } from '../../support/stack-behind-caddy.ts';
import type { StackBehindCaddy } from '../../support/stack-behind-caddy.ts';
import { DOMAIN } from '../../support/start-caddy.ts';

/** What is 404 to everybody, a key or not: Caddy's own word. */
const CLOSED = [
  '/metrics',
  '/METRICS',
  '/Metrics/',
  '/metrics?x=1',
  '//metrics',
  '/%6detrics',
  '/%6Detrics',
  '/v1/../metrics',
  '/./metrics',
  '/x/%2e%2e/metrics',
  '/metrics/',
  '/metrics/x',
  '/healthz',
  '/HealthZ',
  '//healthz',
  '/readyz',
  '/readyz?verbose=1',
  '/%72eadyz',
  '/debug/pprof/',
  '/admin',
  `https://${DOMAIN}/metrics`,
  `http://${DOMAIN}/healthz`,
] as const;

/** Not Caddy's to close; the gateway knows no such spelling. */
const UNKNOWN = ['/metrics;x', '/metrics%00', '/api/metrics', '/healthz%20', '/metrics.'] as const;

const program = await findCaddy();

if (program !== undefined) {
  describe('security: what is not for the public, through Caddy', function () {
    this.timeout(60_000);
    let stack: StackBehindCaddy;
    let key: string;

    before(async () => {
      stack = await startStackBehindCaddy({ program });
      ({ key } = await stack.makeCaller());
    });
    after(() => stack.stop());

    async function ask(method: string, target: string, host = DOMAIN): Promise<RawClient> {
      const client = await openRawTls(stack.caddy);
      client.send(
        `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n` +
          `Authorization: Bearer ${key}\r\n\r\n`,
      );
      await client.untilClosed();
      return client;
    }

    for (const target of CLOSED) {
      it(`${target} is 404 and tells nothing, with any method`, async () => {
        for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS']) {
          const client = await ask(method, target);
          expect(client.status, client.text).to.equal(404);
          expect(client.text).to.not.match(/request-id|caddy|^server:/im);
          if (method !== 'HEAD') expect(client.body).to.equal('{"error":"Not found"}');
        }
      });
    }

    for (const target of UNKNOWN) {
      it(`${target} is nothing that is served`, async () => {
        const client = await ask('GET', target);
        expect(client.status, client.text).to.be.oneOf([400, 404]);
        expect(client.body).to.not.match(/pass|gateway_/);
      });
    }

    it('another Host is told nothing, whatever it asks for', async () => {
      for (const host of [
        'localhost',
        '127.0.0.1',
        'metrics',
        `${DOMAIN}.evil.example`,
        'evil:9464',
      ]) {
        for (const target of ['/metrics', '/api/tags', `http://${host}/metrics`]) {
          const client = await ask('GET', target, host);
          expect(client.status, client.text).to.equal(421);
          expect(client.body).to.equal('{"error":"Unknown host"}');
          expect(client.text).to.not.match(/caddy|^server:/im);
        }
      }
    });

    it('an absolute target decides, not the Host beside it', async () => {
      const client = await ask('GET', 'http://evil.example/api/tags');
      expect(client.status, client.text).to.equal(421);
    });

    it('what is served is served', async () => {
      const client = await ask('GET', '/api/tags');
      expect(client.status, client.text).to.equal(200);
      expect(client.body).to.include('llama3:latest');
    });
  });
}
