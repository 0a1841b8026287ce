import { expect } from 'chai';
import { systemClock } from '../../../lib/time/clock.ts';
import { openHttp2, openRawTls } from '../../support/caddy-client.ts';
import { findCaddy } from '../../support/find-caddy.ts';
import { startStackBehindCaddy } from '../../support/stack-behind-caddy.ts';
import type { StackBehindCaddy } from '../../support/stack-behind-caddy.ts';
import { DOMAIN } from '../../support/start-caddy.ts';
import { until } from '../../support/until.ts';

const CHAT = JSON.stringify({ model: 'llama3', messages: [{ role: 'user', content: 'hello' }] });
/** 250 of the gateway, and what Caddy may take to pass the word on. */
const WITHIN_MS = 300;
const ENDLESS = { tokens: 5_000, paceMs: 5 };
const COLD = { firstByteMs: 20_000 };

interface Client {
  /** Whether part of the answer is there. */
  readonly hasBegun: () => boolean;
  readonly leave: () => void;
}

const program = await findCaddy();

if (program !== undefined) {
  describe('e2e: a client that leaves Caddy frees the GPU', function () {
    this.timeout(60_000);
    let stack: StackBehindCaddy;

    before(async () => {
      stack = await startStackBehindCaddy({ program });
    });
    after(() => stack.stop());

    async function startHttp1(key: string): Promise<Client> {
      const client = await openRawTls(stack.caddy);
      client.send(
        `POST /api/chat HTTP/1.1\r\nHost: ${DOMAIN}\r\nAuthorization: Bearer ${key}\r\n` +
          `Content-Length: ${CHAT.length}\r\n\r\n${CHAT}`,
      );
      return {
        hasBegun: () => client.text.split('"done":false').length > 10,
        leave: () => {
          client.destroy();
        },
      };
    }

    function startHttp2(key: string): Promise<Client> {
      const session = openHttp2(stack.caddy);
      const stream = session.request({
        ':method': 'POST',
        ':path': '/api/chat',
        ':authority': DOMAIN,
        authorization: `Bearer ${key}`,
      });
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      stream.on('error', () => undefined);
      stream.end(CHAT);
      return Promise.resolve({
        hasBegun: () => text.split('"done":false').length > 10,
        leave: () => {
          stream.close();
          stream.once('close', () => {
            session.destroy();
          });
        },
      });
    }

    for (const [protocol, start] of [
      ['HTTP/1.1', startHttp1],
      ['HTTP/2', startHttp2],
    ] as const) {
      it(`in the middle of a stream over ${protocol}`, async () => {
        const caller = await stack.makeCaller();
        const seen = stack.ollama.inferences.length;
        stack.ollama.next(ENDLESS);
        const client = await start(caller.key);
        await until(client.hasBegun, { withinMs: 5_000, what: 'ten lines' });
        const leftAtMs = systemClock.monotonicMs();
        client.leave();
        const closedAtMs = await stack.ollama.inferences[seen]?.closed;
        expect((closedAtMs ?? Infinity) - leftAtMs).to.be.below(WITHIN_MS);
        const [row] = await stack.readAudit(caller.keyId, 1);
        expect(row).to.include({ outcome: 'client_gone', status: 200 });
      });

      it(`before the first token, over ${protocol}`, async () => {
        const caller = await stack.makeCaller();
        const seen = stack.ollama.inferences.length;
        stack.ollama.next(COLD);
        const client = await start(caller.key);
        await stack.ollama.received(seen + 1);
        const leftAtMs = systemClock.monotonicMs();
        client.leave();
        const closedAtMs = await stack.ollama.inferences[seen]?.closed;
        expect((closedAtMs ?? Infinity) - leftAtMs).to.be.below(WITHIN_MS);
        const [row] = await stack.readAudit(caller.keyId, 1);
        expect(row).to.include({ outcome: 'client_gone', completion_tokens: 0 });
      });
    }
  });
}
