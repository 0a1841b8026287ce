import { expect } from 'chai';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { readDocument, runNzgw } from '../support/run-nzgw.ts';
import type { Run } from '../support/run-nzgw.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';

const CHAT = {
  model: 'llama3',
  messages: [{ role: 'user', content: 'hello' }],
  options: { num_predict: 1_000 },
};
const LIMITS = { ...NO_LIMITS, budgetTokens: 10_000_000, budgetPeriod: 'day' } as const;

type Document = Record<string, unknown>;

describe('e2e: an operator looks at a gateway at work', function () {
  this.timeout(90_000);
  let stack: Stack;
  let caller: MadeKey;

  before(async () => {
    stack = await startStack({ workers: 2 });
    caller = await stack.makeKey(await stack.makeTenant({ limits: LIMITS }), { limits: LIMITS });
  });
  after(() => stack.stop());

  function run(...args: readonly string[]): Promise<Run> {
    const env = {
      DATABASE_URL: stack.databaseUrl,
      REDIS_URL: stack.redis.url,
      OLLAMA_URL: stack.ollama.url,
    };
    return runNzgw([...args, '--json'], { env });
  }

  async function chat(): Promise<string> {
    const response = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT);
    expect(response.status).to.equal(200);
    await response.text();
    return response.headers.get('request-id') ?? '';
  }

  it('verify-ledger finds no fault while requests come and go, and all of it at rest', async () => {
    const ids: string[] = [];
    let isOver = false;
    const clients = Array.from({ length: 6 }, async () => {
      while (!isOver) ids.push(await chat());
    });
    const busy = await run('verify-ledger');
    isOver = true;
    await Promise.all(clients);
    const document = readDocument(busy);
    expect(document['problems']).to.deep.equal([]);
    expect(busy.code, busy.stderr).to.equal(0);
    expect(Number(document['counters']) + Number(document['moving_count'])).to.equal(2);
    expect(ids.length).to.be.above(20);
    const { audit } = await checkLedger(stack, { admitted: ids });

    const rest = readDocument(await run('verify-ledger'));
    const tokens = audit.auditedTokens;
    expect(rest).to.include({ audited: tokens, ledger: tokens, counters: 2, moving_count: 0 });
    expect(rest).to.include({ redis: 2 * tokens, open_holds: 0 });
    const [used] = readDocument(await run('usage', '--by', 'key'))['data'] as [Document];
    expect(used).to.include({ charged_tokens: tokens, requests: ids.length });
  });

  it('explain and holds tell of a request that takes the only slot', async () => {
    const limits = { ...NO_LIMITS, concurrency: 1 };
    const single = await stack.makeKey(await stack.makeTenant(), { limits });
    const free = await run('explain', single.publicId, 'llama3');
    expect([free.code, readDocument(free)['reasons']]).to.deep.equal([0, []]);

    stack.ollama.next({ tokens: 1_000, paceMs: 50 });
    const stopped = new AbortController();
    const init = { signal: stopped.signal };
    const response = await post(`${stack.gateway.url}/api/chat`, single.key, CHAT, init);
    const id = response.headers.get('request-id');
    const taken = await run('explain', single.publicId, 'llama3');
    const told = readDocument(taken);
    expect([taken.code, told['code']]).to.deep.equal([8, 'rate_limit_exceeded']);
    expect((told['holds'] as Document[]).map((hold) => hold['id'])).to.deep.equal([id]);
    const refused = await post(`${stack.gateway.url}/api/chat`, single.key, CHAT);
    expect(refused.status).to.equal(429);
    await refused.text();
    const [hold] = readDocument(await run('holds'))['data'] as [Document];
    expect(hold).to.include({ id, key: `nz_${single.publicId}` });
    stopped.abort();
    await checkLedger(stack);
  });
});
