import { expect } from 'chai';
import { askHttp1, askHttp2 } from '../../support/caddy-client.ts';
import type { Answered } from '../../support/caddy-client.ts';
import { findCaddy } from '../../support/find-caddy.ts';
import { startStackBehindCaddy } from '../../support/stack-behind-caddy.ts';
import type { StackBehindCaddy } from '../../support/stack-behind-caddy.ts';
import type { MadeKey } from '../../support/stack.ts';

const TOKENS = 16;
const PACE_MS = 100;
const LATE_MS = 20;
const MESSAGES = [{ role: 'user', content: 'hello' }];

// A test that cannot be made is not there: nothing is ever skipped.
const program = await findCaddy();

/** When the piece with the n-th line that matches came. */
function readArrivals({ pieces }: Answered, line: RegExp): readonly number[] {
  return pieces.flatMap(({ text, atMs }) => (text.match(line) ?? []).map(() => atMs));
}

if (program !== undefined) {
  describe('e2e: streams through Caddy', function () {
    this.timeout(60_000);
    let stack: StackBehindCaddy;
    let caller: MadeKey;

    before(async () => {
      stack = await startStackBehindCaddy({ program });
      caller = await stack.makeCaller();
    });
    after(() => stack.stop());

    const dialects = [
      ['native', '/api/chat', /"done":false/g],
      ['OpenAI', '/v1/chat/completions', /"content":"[^"]+"/g],
    ] as const;
    const protocols = [
      ['HTTP/1.1', askHttp1],
      ['HTTP/2', askHttp2],
    ] as const;

    for (const [dialect, path, line] of dialects) {
      for (const [protocol, ask] of protocols) {
        it(`each line of a ${dialect} stream over ${protocol} comes within ${LATE_MS} ms`, async () => {
          const sent: number[] = [];
          const script = { tokens: TOKENS, paceMs: PACE_MS, text: 'word' };
          stack.ollama.next({ ...script, onLine: (atMs) => sent.push(atMs) });
          const answer = await ask(stack.caddy, {
            method: 'POST',
            path,
            headers: { authorization: `Bearer ${caller.key}` },
            body: JSON.stringify({ model: 'llama3', messages: MESSAGES, stream: true }),
          });
          expect(answer.status).to.equal(200);
          const came = readArrivals(answer, line);
          expect(came).to.have.length(TOKENS);
          const late = came.map((atMs, n) => atMs - (sent[n] ?? 0)).sort((a, b) => b - a);
          // One may fall into a pause of this machine; held back, all would wait for the next.
          expect(late[1], late.join(' ')).to.be.at.most(LATE_MS);
        });
      }
    }

    it('no stream ends early: five hundred over HTTP/1.1, many at once, are whole', async () => {
      stack.ollama.always({ tokens: 40, text: 'x'.repeat(200) });
      const ask = (): Promise<Answered> =>
        askHttp1(stack.caddy, {
          method: 'POST',
          path: '/api/chat',
          headers: { authorization: `Bearer ${caller.key}` },
          body: JSON.stringify({ model: 'llama3', messages: MESSAGES }),
        });
      let cut = 0;
      for (let round = 0; round < 20; round += 1) {
        const answers = await Promise.all(Array.from({ length: 25 }, ask));
        cut += answers.filter(({ body }) => !body.includes('"done":true')).length;
      }
      expect(cut).to.equal(0);
    });
  });
}
