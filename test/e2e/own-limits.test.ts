import { expect } from 'chai';
import type { Limits } from '../../lib/shared/records.ts';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

interface OwnLimits {
  readonly data: {
    readonly label: string;
    readonly key: { readonly requests: unknown; readonly budget: Record<string, unknown> | null };
    readonly tenant: Record<string, unknown>;
  };
}

const PROMPT = { model: 'llama3', prompt: 'hi', options: { num_predict: 20 } };

describe('e2e: limits tell what is left of them', function () {
  this.timeout(30_000);
  let stack: Stack;

  before(async () => {
    stack = await startStack();
  });
  after(() => stack.stop());

  async function makeLimited(limits: Partial<Limits>): Promise<MadeKey> {
    return stack.makeKey(await stack.makeTenant(), { limits: { ...NO_LIMITS, ...limits } });
  }
  const generate = (caller: MadeKey, body: object = {}): Promise<Response> =>
    post(`${stack.gateway.url}/api/generate`, caller.key, { ...PROMPT, ...body });
  const askOwn = (caller: MadeKey, method = 'GET'): Promise<Response> =>
    fetch(`${stack.gateway.url}/api/v1/key`, {
      method,
      headers: { authorization: `Bearer ${caller.key}` },
    });

  it('in the head of every reply, streamed or whole, and of a refusal', async () => {
    const caller = await makeLimited({ requestsPerMinute: 2, tokensPerMinute: 1_000_000 });
    for (const [stream, left] of [
      [true, '1'],
      [false, '0'],
    ] as const) {
      const response = await generate(caller, { stream });
      await response.text();
      expect(response.status).to.equal(200);
      expect(response.headers.get('x-ratelimit-limit-requests')).to.equal('2');
      expect(response.headers.get('x-ratelimit-remaining-requests')).to.equal(left);
      expect(response.headers.get('x-ratelimit-reset-tokens')).to.match(/^1m[01]s$/);
      expect(response.headers.get('x-nzgw-max-tokens')).to.equal('20');
    }
    const refused = await generate(caller);
    expect(refused.status).to.equal(429);
    expect(await refused.text()).to.match(/The key's limit of 2 requests a minute .* 0 left/);
    const waitMs = Number(refused.headers.get('retry-after-ms'));
    expect(waitMs).to.be.within(50_000, 61_000);
    expect(Number(refused.headers.get('retry-after'))).to.equal(Math.ceil(waitMs / 1_000));
    expect(refused.headers.get('x-ratelimit-remaining-requests')).to.equal('0');
  });

  it('and where a caller asks, about itself alone', async () => {
    const caller = await makeLimited({ budgetTokens: 100_000, budgetPeriod: 'day' });
    const response = await generate(caller, { stream: false });
    await response.text();
    expect(response.status).to.equal(200);
    const left = Number(response.headers.get('x-budget-remaining-tokens'));
    expect(left).to.be.below(100_000);
    expect(response.headers.get('x-budget-reset')).to.match(/T00:00:00.000Z$/);

    const data = await until(
      async () => {
        const own = await askOwn(caller);
        expect(own.status).to.equal(200);
        const { data: limits } = (await own.json()) as OwnLimits;
        return limits.key.budget?.['held'] === 0 && limits;
      },
      { withinMs: 5_000, what: 'the request to be settled' },
    );
    expect(data.label).to.equal(`nz_${caller.publicId}`);
    expect(data.key.requests).to.equal(null);
    expect(data.key.budget).to.include({ limit: 100_000, period: 'day' });
    expect(data.key.budget?.['spent']).to.be.within(1, 100_000 - left);
    expect(data.tenant).to.include({ budget: null });

    expect((await askOwn({ ...caller, key: 'nz_none' })).status).to.equal(401);
    expect((await askOwn(caller, 'POST')).status).to.equal(404);
  });

  it('a budget that is spent says so until its period ends', async () => {
    const caller = await makeLimited({ budgetTokens: 700, budgetPeriod: 'total' });
    // Until the request before is settled, its hold may be in the way: 429 as well, but for a moment.
    const last = await until(
      async () => {
        const response = await generate(caller, { stream: false });
        if (response.headers.get('x-should-retry') === 'false') return response;
        expect(response.status).to.be.oneOf([200, 429]);
        await response.text();
        return undefined;
      },
      { withinMs: 10_000, what: 'the budget to be spent' },
    );
    expect(last.status).to.equal(429);
    expect(last.headers.get('retry-after')).to.equal(null);
    expect(await last.text()).to.match(/token budget of 700 \(in all\) has \d+ left/);
  });
});
