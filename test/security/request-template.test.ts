import { expect } from 'chai';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { post, startStack } from '../support/stack.ts';
import type { Stack } from '../support/stack.ts';

const BUDGET = 1_000_000;
const ASK = {
  model: 'llama3',
  prompt: 'hi',
  // 25 bytes, of which Ollama makes about a million characters.
  template: '{{printf "%0999999d" 1}}',
  options: { num_predict: 10 },
};

async function generate(stack: Stack, body: object): Promise<Response> {
  const limits = { ...NO_LIMITS, budgetTokens: BUDGET, budgetPeriod: 'total' as const };
  const { key } = await stack.makeKey(await stack.makeTenant(), { limits });
  return post(`${stack.gateway.url}/api/generate`, key, body);
}

describe('security: a template of the request', function () {
  this.timeout(60_000);
  let stack: Stack | undefined;
  afterEach(async () => {
    await stack?.stop();
  });

  it('is a program that can outgrow any bound: refused where no context length is set', async () => {
    stack = await startStack();
    const refused = await generate(stack, ASK);
    expect(refused.status).to.equal(400);
    expect(await refused.text()).to.include('template');
    expect(stack.ollama.inferences).to.have.length(0);

    expect((await generate(stack, { ...ASK, template: '' })).status).to.equal(200);
  });

  it('holds the whole context where one is set', async () => {
    stack = await startStack({ env: { NZGW_NUM_CTX: '2048' } });
    const response = await generate(stack, ASK);
    expect(response.status, await response.text()).to.equal(200);
    const held = BUDGET - Number(response.headers.get('x-budget-remaining-tokens'));
    expect(held).to.equal(2_047 + 10);
  });
});
