import { expect } from 'chai';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };

describe('e2e: the upstream is gone', function () {
  this.timeout(30_000);
  let stack: Stack;
  let caller: MadeKey;

  before(async () => {
    stack = await startStack({
      env: { MODEL_DISCOVERY_INTERVAL_SECONDS: '1', MODEL_DISCOVERY_MAX_AGE_SECONDS: '3' },
    });
    caller = await stack.makeCaller();
    const warm = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT);
    await warm.text();
    await stack.ollama.close();
  });
  after(() => stack.stop());

  it('502 at once, and the refusal of an admitted request is its audit row', async () => {
    const response = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT);
    expect(response.status).to.equal(502);
    expect(await response.text()).to.not.include('ECONNREFUSED');
    const rows = await stack.readAudit(caller.keyId, 2);
    expect(rows.at(-1)).to.include({ status: 502, outcome: 'upstream_error', prompt_tokens: 0 });
  });

  it('503 once the snapshot is too old to be trusted, for listings too', async () => {
    const headers = { authorization: `Bearer ${caller.key}` };
    await until(
      async () => (await fetch(`${stack.gateway.url}/api/tags`, { headers })).status === 503,
      { withinMs: 8_000, what: 'the snapshot to be too old' },
    );
    const response = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT);
    expect(response.status).to.equal(503);
    expect(await response.text()).to.not.include('in a row');
    expect(response.headers.get('retry-after')).to.match(/^[1-9]\d*$/);
    const ready = await fetch(`${stack.gateway.url}/readyz`);
    expect(ready.status).to.equal(503);
  });
});
