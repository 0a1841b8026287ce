import { expect } from 'chai';
import { openRawTls } from '../../support/caddy-client.ts';
import { findCaddy } from '../../support/find-caddy.ts';
import { AMBIGUOUS_HEADERS, UNUSUAL_TARGETS } from '../../support/hostile-heads.ts';
import {
  makeChat,
  makeSmugglingCases,
  SMUGGLED,
  VISIBLE,
} from '../../support/smuggled-requests.ts';
import type { SmugglingCase } from '../../support/smuggled-requests.ts';
import {
  expectOthersServed,
  readAdmitted,
  startImpatientStack,
} from '../../support/stack-behind-caddy.ts';
import type { StackBehindCaddy } from '../../support/stack-behind-caddy.ts';
import type { MadeKey } from '../../support/stack.ts';
import { DOMAIN } from '../../support/start-caddy.ts';
import { until } from '../../support/until.ts';

const KEY = 'KEY OF THE CALLER';
/** Ends the connection, if it is still one of requests and answers. */
const LAST = `GET /api/nothing HTTP/1.1\r\nHost: ${DOMAIN}\r\nConnection: close\r\n\r\n`;
const CHAT = makeChat(VISIBLE);

const program = await findCaddy();

/** What the gateway has corpora of, as they would come from outside. */
function makeKnownCases(): readonly SmugglingCase[] {
  const known = `Authorization: Bearer ${KEY}\r\nContent-Length: ${CHAT.length}\r\n`;
  return [
    ...AMBIGUOUS_HEADERS.map((headers) => ({
      name: `known headers ${JSON.stringify(headers)}`,
      text: `POST /api/chat HTTP/1.1\r\nHost: ${DOMAIN}\r\n${known}${headers.join('\r\n')}\r\n\r\n${CHAT}`,
    })),
    ...UNUSUAL_TARGETS.map((target) => ({
      name: `known target ${JSON.stringify(target)}`,
      text: `POST ${target} HTTP/1.1\r\nHost: ${DOMAIN}\r\n${known}\r\n${CHAT}`,
    })),
  ];
}

if (program !== undefined) {
  describe('security: requests smuggled through Caddy', function () {
    this.timeout(60_000);
    let stack: StackBehindCaddy;
    let caller: MadeKey;
    let accepted = 0;

    before(async () => {
      stack = await startImpatientStack(program);
      caller = await stack.makeCaller();
    });
    after(() => stack.stop());

    /** Sends it, then something harmless on the same connection; returns all that came back. */
    async function exchange(text: string): Promise<string> {
      const client = await openRawTls(stack.caddy);
      client.send(Buffer.from(text.replaceAll(KEY, caller.key), 'latin1'));
      const answered = (): boolean => client.closed || client.status !== 0;
      await until(answered, { withinMs: 5_000, what: 'an answer or the end' });
      if (!client.closed) client.send(LAST);
      await client.untilClosed(10_000);
      return client.text;
    }

    for (const { name, text } of [...makeSmugglingCases(KEY), ...makeKnownCases()]) {
      it(name, async () => {
        const seen = stack.ollama.inferences.length;
        const answers = await exchange(text);
        // Only a chat is answered in lines.
        const shown = answers.match(/^Content-Type: application\/x-ndjson\r$/gim)?.length ?? 0;
        const came = stack.ollama.inferences.slice(seen);
        // As many as the client saw accepted, each whole and one of the two that it wrote.
        expect(came.length, answers).to.equal(shown);
        accepted += came.length;
        for (const { method, path, body } of came) {
          expect([method, path]).to.deep.equal(['POST', '/api/chat']);
          const [message] = (JSON.parse(body) as { messages: [{ content: string }] }).messages;
          expect(message.content).to.be.oneOf([VISIBLE, SMUGGLED]);
        }
        await expectOthersServed(stack, caller.key);
      });
    }

    it('every request that was accepted has its audit row, and nothing else has', async () => {
      expect(accepted).to.be.above(10);
      expect(await readAdmitted(stack, caller.keyId, accepted)).to.have.length(accepted);
      expect(stack.ollama.inferences).to.have.length(accepted);
    });
  });
}
