import { expect } from 'chai';
import type { Limits } from '../../lib/shared/records.ts';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { askChat, expectSettled } from '../support/caller-load.ts';
import type { Asked } from '../support/caller-load.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';

const HUGE = 1_000_000_000_000_000;
/** What an `integer` of Postgres can be. */
const MOST = 2_147_483_647;
const SAME_ID = 'ci-run-4711';
const AT_ONCE = 50;

interface Kind {
  readonly what: string;
  readonly none: Partial<Limits>;
  /** In the refusal that 0 leads to. */
  readonly named: string;
  readonly most: Partial<Limits>;
  /** What the head of a reply then tells. */
  readonly header: readonly [name: string, value: string] | null;
}

const KINDS: readonly Kind[] = [
  {
    what: 'requests a minute',
    none: { requestsPerMinute: 0 },
    named: 'limit of requests a minute is 0',
    most: { requestsPerMinute: MOST },
    header: ['x-ratelimit-limit-requests', String(MOST)],
  },
  {
    what: 'tokens a minute',
    none: { tokensPerMinute: 0 },
    named: 'limit of tokens a minute is 0',
    most: { tokensPerMinute: HUGE },
    header: ['x-ratelimit-limit-tokens', String(HUGE)],
  },
  {
    what: 'concurrent requests',
    none: { concurrency: 0 },
    named: 'limit of concurrent requests is 0',
    most: { concurrency: MOST },
    header: null,
  },
  ...(['day', 'month', 'total'] as const).map((budgetPeriod) => ({
    what: `a budget (${budgetPeriod})`,
    none: { budgetTokens: 0, budgetPeriod },
    named: 'token budget is 0',
    most: { budgetTokens: HUGE, budgetPeriod },
    header: ['x-budget-limit-tokens', String(HUGE)] as const,
  })),
  {
    what: 'tokens of output',
    none: { maxOutputTokens: 0 },
    named: 'output limit of this key or its tenant is 0 tokens',
    most: { maxOutputTokens: MOST },
    header: null,
  },
];

const LEVELS = ['key', 'tenant'] as const;

describe('e2e: limits at the ends of their ranges', function () {
  this.timeout(30_000);
  let stack: Stack;
  const asked: Asked[] = [];

  before(async () => {
    stack = await startStack({ ollama: { always: { tokens: 5, promptTokens: 7 } } });
  });
  after(() => stack.stop());

  async function makeLimited(
    level: (typeof LEVELS)[number],
    partial: Partial<Limits>,
  ): Promise<MadeKey> {
    const limits = { ...NO_LIMITS, ...partial };
    if (level === 'key') return stack.makeKey(await stack.makeTenant(), { limits });
    return stack.makeKey(await stack.makeTenant({ limits }));
  }

  async function ask(caller: MadeKey, headers = {}): Promise<Asked> {
    const one = await askChat(stack, { caller, headers });
    asked.push(one);
    return one;
  }

  for (const level of LEVELS) {
    for (const { what, none, named, most, header } of KINDS) {
      it(`${level}, ${what}: 0 allows nothing and says so, and nobody is told to wait`, async () => {
        const seen = stack.ollama.inferences.length;
        const { status, text, headers } = await ask(await makeLimited(level, none));
        expect(status, text).to.equal(400);
        expect(text).to.include(named).and.include(level);
        expect(headers.get('retry-after')).to.equal(null);
        expect(stack.ollama.inferences).to.have.length(seen);
      });

      it(`${level}, ${what}: the most that can be set limits nothing`, async () => {
        const caller = await makeLimited(level, most);
        for (const { status, headers, text } of [await ask(caller), await ask(caller)]) {
          expect(status, text).to.equal(200);
          if (header !== null) expect(headers.get(header[0])).to.equal(header[1]);
          expect(headers.get('x-nzgw-max-tokens')).to.equal('50');
        }
      });
    }
  }

  it('none at all limits nothing, and no head speaks of limits', async () => {
    const { status, headers } = await ask(await stack.makeCaller());
    expect(status).to.equal(200);
    const names = [...headers.keys()].filter((name) => /^x-(ratelimit|budget)-/.test(name));
    expect(names).to.deep.equal([]);
  });

  it('output without end, written as the largest number there is, is cut and never a 500', async () => {
    const { key, keyId } = await stack.makeCaller();
    const response = await post(`${stack.gateway.url}/api/chat`, key, {
      model: 'llama3',
      messages: [{ role: 'user', content: 'on and on' }],
      options: { num_predict: Number.MAX_SAFE_INTEGER },
    });
    const text = await response.text();
    expect(response.status, text).to.equal(200);
    expect(response.headers.get('x-nzgw-max-tokens')).to.equal('1000000000');
    await stack.readAudit(keyId, 1);
  });

  it('what the largest budget has left is told to the token', async () => {
    const caller = await makeLimited('key', { budgetTokens: HUGE, budgetPeriod: 'total' });
    await ask(caller);
    await stack.readAudit(caller.keyId, 1);
    const response = await fetch(`${stack.gateway.url}/api/v1/key`, {
      headers: { authorization: `Bearer ${caller.key}` },
    });
    const { data } = (await response.json()) as { data: { key: { budget: object } } };
    expect(data.key.budget).to.include({ limit: HUGE, spent: 12, held: 0, left: HUGE - 12 });
  });

  it('the same x-request-id on 50 requests at once: 50 rows, and 50 charges', async () => {
    const caller = await makeLimited('tenant', { budgetTokens: HUGE, budgetPeriod: 'day' });
    const all = await Promise.all(
      Array.from({ length: AT_ONCE }, () => ask(caller, { 'x-request-id': SAME_ID })),
    );
    expect(all.map(({ status }) => status)).to.deep.equal(all.map(() => 200));
    expect(new Set(all.map(({ id }) => id)).size).to.equal(AT_ONCE);

    const rows = await stack.readAudit(caller.keyId, AT_ONCE);
    expect(rows).to.have.length(AT_ONCE);
    expect(new Set(rows.map((row) => row['client_request_id']))).to.deep.equal(new Set([SAME_ID]));
    const { rows: sums } = await stack.database.query<{ requests: number; tokens: number }>(
      `select sum(requests)::integer as requests, sum(charged_tokens)::integer as tokens
       from gateway.token_ledger where key_id = $1`,
      [caller.keyId],
    );
    expect(sums).to.deep.equal([{ requests: AT_ONCE, tokens: 12 * AT_ONCE }]);
  });

  it('leaves ledger, audit and Redis in agreement', () => expectSettled(stack, asked));
});
