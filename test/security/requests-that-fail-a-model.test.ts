import { expect } from 'chai';
import { post, startStack } from '../support/stack.ts';
import type { Stack } from '../support/stack.ts';

const FAILURES = 5;
const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };

interface Fault {
  readonly path: string;
  readonly body: object;
  /** What Ollama answers with a 500. */
  readonly said: string;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'a template that is no program': {
    path: '/api/generate',
    body: { model: 'llama3', prompt: 'hello', template: '{{' },
    said: 'template: :1: unclosed action',
  },
  'a template that fails when it runs': {
    path: '/api/generate',
    body: { model: 'llama3', prompt: 'hello', template: '{{index .Messages 9}}' },
    said: 'template: :1:2: executing "" at <index .Messages 9>: error calling index: index out of range: 9',
  },
  'a text for which an embedding model has no number': {
    path: '/api/embed',
    body: { model: 'nomic-embed-text', input: 'hello' },
    said: 'failed to encode response: json: unsupported value: NaN',
  },
};

/** One breaker stands before an upstream for all tenants: one of them must not be able to open it. */
describe('security: requests that are made to fail at the model', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async () => {
    stack = await startStack({
      workers: 1,
      env: {
        NZGW_BREAKER_FAILURES: String(FAILURES),
        NZGW_BREAKER_SECONDS: '60',
        NZGW_NUM_CTX: '2048',
      },
    });
  });
  after(() => stack.stop());

  for (const [what, { path, body, said }] of Object.entries(FAULTS)) {
    it(`take it from no other tenant: ${what}`, async () => {
      const one = await stack.makeCaller();
      const other = await stack.makeCaller();
      for (let count = 0; count < 2 * FAILURES; count += 1) {
        stack.ollama.next({ status: 500, body: JSON.stringify({ error: said }) });
        const failed = await post(`${stack.gateway.url}${path}`, one.key, body);
        expect(await failed.text()).to.not.include(said);
        expect(failed.status).to.equal(502);
      }
      const served = await post(`${stack.gateway.url}/api/chat`, other.key, CHAT);
      expect(served.status, await served.text()).to.equal(200);
    });
  }
});
