import { expect } from 'chai';
import { systemClock } from '../../lib/time/clock.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello there' }] };

describe('e2e: a client that leaves frees the GPU', function () {
  this.timeout(30_000);
  let stack: Stack;
  let caller: MadeKey;

  before(async () => {
    stack = await startStack();
    caller = await stack.makeCaller();
  });
  after(() => stack.stop());

  it('mid-stream: the upstream socket is closed within 250 ms, the tokens so far are kept', async () => {
    stack.ollama.next({ tokens: 5_000, paceMs: 5 });
    const leaving = new AbortController();
    const response = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT, {
      headers: { authorization: `Bearer ${caller.key}` },
      signal: leaving.signal,
    });
    const reader = response.body?.getReader();
    let received = '';
    while (received.split('\n').length < 10) {
      const part = await reader?.read();
      received += Buffer.from(part?.value ?? []).toString('utf8');
    }
    const leftAtMs = systemClock.monotonicMs();
    leaving.abort();

    const closedAtMs = await stack.ollama.inferences.at(-1)?.closed;
    expect((closedAtMs ?? Infinity) - leftAtMs).to.be.below(250);
    const [row] = await stack.readAudit(caller.keyId, 1);
    expect(row).to.include({ outcome: 'client_gone', status: 200, count_source: 'estimated' });
    expect(row?.['completion_tokens']).to.be.within(9, 200);
    const strings = 'user' + 'hello there';
    expect(row?.['prompt_tokens']).to.equal(Math.ceil(strings.length / 4) + 8);
  });

  it('before the first token: the same, with no token of output', async () => {
    const other = await stack.makeCaller();
    stack.ollama.next({ firstByteMs: 20_000 });
    const leaving = new AbortController();
    const seen = stack.ollama.inferences.length;
    const response = post(`${stack.gateway.url}/api/chat`, other.key, CHAT, {
      headers: { authorization: `Bearer ${other.key}` },
      signal: leaving.signal,
    }).catch(() => undefined);
    await until(() => stack.ollama.inferences.length > seen, {
      withinMs: 5_000,
      what: 'the request upstream',
    });
    const leftAtMs = systemClock.monotonicMs();
    leaving.abort();
    await response;

    const closedAtMs = await stack.ollama.inferences[seen]?.closed;
    expect((closedAtMs ?? Infinity) - leftAtMs).to.be.below(250);
    const [row] = await stack.readAudit(other.keyId, 1);
    expect(row).to.include({ outcome: 'client_gone', completion_tokens: 0 });
  });
});
