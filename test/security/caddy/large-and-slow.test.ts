import { expect } from 'chai';
import { askHttp1, askHttp2, openRawTls } from '../../support/caddy-client.ts';
import { findCaddy } from '../../support/find-caddy.ts';
import { startStackBehindCaddy } from '../../support/stack-behind-caddy.ts';
import type { StackBehindCaddy } from '../../support/stack-behind-caddy.ts';
import type { MadeKey } from '../../support/stack.ts';
import { DOMAIN } from '../../support/start-caddy.ts';

const MIB = 1_048_576;
const CHAT = JSON.stringify({ model: 'llama3', messages: [{ role: 'user', content: 'hello' }] });

const program = await findCaddy();

if (program !== undefined) {
  describe('security: large bodies and slow senders, through Caddy', function () {
    this.timeout(60_000);
    let stack: StackBehindCaddy;
    let caller: MadeKey;

    before(async () => {
      // The same file; only the waiting is made bearable.
      const edits = [
        ['read_header 10s', 'read_header 1s'],
        ['read_body 60s', 'read_body 2s'],
      ] as const;
      stack = await startStackBehindCaddy({ program, edits });
      caller = await stack.makeCaller();
    });
    after(() => stack.stop());

    for (const ask of [askHttp1, askHttp2]) {
      const post = (path: string, bytes: number): ReturnType<typeof ask> =>
        ask(stack.caddy, {
          method: 'POST',
          path,
          headers: { authorization: `Bearer ${caller.key}` },
          body: CHAT.padEnd(bytes, ' '),
        });

      it(`${ask.name}: a body at the limit passes, one byte more is the gateway's 413`, async () => {
        const full = await post('/api/chat', 10 * MIB);
        expect(full.status, full.body).to.equal(200);
        const native = await post('/api/chat', 10 * MIB + 1);
        expect(native.status).to.equal(413);
        expect(native.headers).to.have.property('request-id');
        expect(JSON.parse(native.body)).to.have.property('error').that.is.a('string');
        const openai = await post('/v1/chat/completions', 10 * MIB + 1);
        expect(openai.status).to.equal(413);
        expect(openai.headers).to.have.property('request-id');
        expect(openai.body).to.include('"code":"request_too_large"');
      });

      it(`${ask.name}: far above it is a 413 too, in the same form, from Caddy or the gateway`, async () => {
        const openai = await post('/v1/chat/completions', 12 * MIB);
        expect(openai.status).to.equal(413);
        expect(openai.body).to.include('"code":"request_too_large"');
        expect(JSON.stringify(openai.headers) + openai.body).to.not.match(/caddy/i);
      });
    }

    it('a large body without a key is refused', async () => {
      const answer = await askHttp1(stack.caddy, {
        method: 'POST',
        path: '/api/chat',
        body: CHAT.padEnd(5 * MIB, ' '),
      });
      expect(answer.status).to.equal(401);
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
