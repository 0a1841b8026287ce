import { expect } from 'chai';
import { askHttp1, askHttp2, openRawTls } from '../../support/caddy-client.ts';
import { findCaddy } from '../../support/find-caddy.ts';
import { startImpatientStack } from '../../support/stack-behind-caddy.ts';
import type { StackBehindCaddy } from '../../support/stack-behind-caddy.ts';
import type { MadeKey } from '../../support/stack.ts';
import { DOMAIN, startCaddy } from '../../support/start-caddy.ts';
import type { RawClient } from '../../support/raw-client.ts';

const MIB = 1_048_576;
const CHAT = JSON.stringify({ model: 'llama3', messages: [{ role: 'user', content: 'hello' }] });

const program = await findCaddy();

if (program !== undefined) {
  describe('security: large bodies and slow senders, through Caddy', function () {
    this.timeout(60_000);
    let stack: StackBehindCaddy;
    let caller: MadeKey;

    before(async () => {
      stack = await startImpatientStack(program);
      caller = await stack.makeCaller();
    });
    after(() => stack.stop());

    const authorization = (): string => `Bearer ${caller.key}`;

    /** Over HTTP/1.1, to the last byte, whatever is answered meanwhile. */
    async function send(path: string, bytes: number, header: string): Promise<RawClient> {
      const client = await openRawTls(stack.caddy);
      client.send(
        `POST ${path} HTTP/1.1\r\nHost: ${DOMAIN}\r\n${header}Content-Length: ${bytes}\r\n\r\n`,
        ' '.repeat(bytes),
      );
      await client.untilText('"error"', 10_000);
      client.destroy();
      return client;
    }

    const announce = (path: string, bytes: number): Promise<RawClient> =>
      send(path, bytes, `Authorization: ${authorization()}\r\n`);

    for (const ask of [askHttp1, askHttp2]) {
      it(`${ask.name}: a body at the limit passes`, async () => {
        const full = await ask(stack.caddy, {
          method: 'POST',
          path: '/api/chat',
          headers: { authorization: authorization() },
          body: CHAT.padEnd(10 * MIB, ' '),
        });
        expect(full.status, full.body).to.equal(200);
      });
    }

    for (const bytes of [10 * MIB + 1, 12 * MIB]) {
      it(`${bytes} bytes over HTTP/1.1 are 413 in the form of the dialect`, async () => {
        const native = await announce('/api/chat', bytes);
        expect(native.status, native.text).to.equal(413);
        expect(JSON.parse(native.body)).to.have.property('error').that.is.a('string');
        const openai = await announce('/v1/chat/completions', bytes);
        expect(openai.status).to.equal(413);
        expect(openai.body).to.include('"code":"request_too_large"');
      });

      it(`${bytes} bytes over HTTP/2 are it too`, async () => {
        const openai = await askHttp2(stack.caddy, {
          method: 'POST',
          path: '/v1/chat/completions',
          headers: { authorization: authorization() },
          body: CHAT.padEnd(bytes, ' '),
        });
        expect(openai.status).to.equal(413);
        expect(openai.body).to.include('"code":"request_too_large"');
      });
    }

    it("a byte above the gateway's limit is refused by the gateway", async () => {
      const native = await announce('/api/chat', 10 * MIB + 1);
      expect(native.text).to.match(/\r\nrequest-id: /i);
      expect(native.body).to.include('10485760');
    });

    it("where Caddy's own bound is the lower one, its 413 has the form of the dialect too", async () => {
      const caddy = await startCaddy({
        program,
        upstream: new URL(stack.gateway.url).host,
        edits: [['NZGW_CADDY_MAX_BODY:11MiB', 'NZGW_CADDY_MAX_BODY:1MiB']],
      });
      try {
        const seen = stack.ollama.inferences.length;
        const answer = await askHttp2(caddy, {
          method: 'POST',
          path: '/v1/chat/completions',
          headers: { authorization: authorization() },
          body: CHAT.padEnd(2 * MIB, ' '),
        });
        expect(answer.status, answer.body).to.equal(413);
        expect(answer.body).to.include('"code":"request_too_large"');
        expect(JSON.stringify(answer.headers) + answer.body).to.not.match(/caddy/i);
        expect(stack.ollama.inferences.length).to.equal(seen);
      } finally {
        await caddy.stop();
      }
    });

    it('a large body without a key is refused', async () => {
      const client = await send('/api/chat', 5 * MIB, '');
      expect(client.status).to.equal(401);
    });

    it('a head that does not end costs the connection', async () => {
      const client = await openRawTls(stack.caddy);
      client.send(`POST /api/chat HTTP/1.1\r\nHost: ${DOMAIN}\r\nX-Slow: `);
      await client.untilClosed(4_000);
      expect(client.text).to.not.match(/ 200 /);
    });

    it('a body that does not end costs the connection, and nothing of it goes on', async () => {
      const seen = stack.ollama.inferences.length;
      const client = await openRawTls(stack.caddy);
      client.send(
        `POST /api/chat HTTP/1.1\r\nHost: ${DOMAIN}\r\nAuthorization: Bearer ${caller.key}\r\n` +
          `Content-Length: 5000\r\n\r\n${CHAT}`,
      );
      await client.untilClosed(6_000);
      expect(client.text).to.not.match(/ 200 /);
      expect(stack.ollama.inferences.length).to.equal(seen);
    });

    it('a stream outlives the time that its request had', async () => {
      stack.ollama.next({ tokens: 12, paceMs: 250 });
      for (const ask of [askHttp1, askHttp2]) {
        const answer = await ask(stack.caddy, {
          method: 'POST',
          path: '/api/chat',
          headers: { authorization: `Bearer ${caller.key}` },
          body: CHAT,
        });
        expect(answer.status).to.equal(200);
        expect(answer.body).to.include('"done":true');
        stack.ollama.next({ tokens: 12, paceMs: 250 });
      }
    });
  });
}
