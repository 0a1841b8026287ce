import { expect } from 'chai';
import { KEYS, shardOf } from '../../lib/ledger/keys.ts';
import { post } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { startStackBehindProxy } from '../support/stack-behind-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { connectRedis } from '../support/connect-redis.ts';
import { until } from '../support/until.ts';

const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };

const REPLIES = 20;

/** Enough requests at once that every worker gets some. */
const PROBES = 12;

describe('e2e: a store is away', function () {
  this.timeout(60_000);
  let stack: Stack;
  let caller: MadeKey;
  let postgres: FaultProxy;

  before(async () => {
    ({ stack, postgres } = await startStackBehindProxy());
    caller = await stack.makeCaller();
    const warm = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT);
    await warm.text();
  });
  after(async () => {
    await stack.stop();
    await postgres.close();
  });

  async function ask(): Promise<number> {
    const response = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT);
    await response.text();
    return response.status;
  }

  /** Each worker makes its own way back to a store, some hundred milliseconds apart. */
  async function untilAllServe(): Promise<void> {
    await until(
      async () => {
        const statuses = await Promise.all(Array.from({ length: PROBES }, ask));
        return statuses.every((status) => status === 200);
      },
      { withinMs: 25_000, what: 'every worker to serve again' },
    );
  }

  it('Redis dead: 503 at once, never 200, 401 or 500; back: served again', async () => {
    stack.redis.signal('SIGKILL');
    const statuses = new Set<number>();
    for (let n = 0; n < 10; n += 1) statuses.add(await ask());
    expect([...statuses]).to.deep.equal([503]);

    await stack.redis.restart();
    await untilAllServe();
  });

  it('Redis killed right after replies: each of them has its row, once, when it is back', async () => {
    const other = await stack.makeCaller();
    const ended: string[] = [];
    const request = async (): Promise<void> => {
      const response = await post(`${stack.gateway.url}/api/chat`, other.key, CHAT);
      expect(response.status).to.equal(200);
      await response.text();
      ended.push(response.headers.get('request-id') ?? '');
      // The last settlements may be on their way, to Redis or back.
      if (ended.length !== REPLIES) return;
      stack.redis.signal('SIGKILL');
    };
    await Promise.all(Array.from({ length: REPLIES }, request));
    expect(new Set(ended).size).to.equal(REPLIES);

    await stack.redis.restart();
    const redis = await connectRedis(stack.redis.url);
    const events = KEYS.events(shardOf(other.tenantId, 1));
    const rows = await until(
      async () => {
        const found = await stack.readAudit(other.keyId, REPLIES).catch(() => undefined);
        return (await redis.xlen(events)) === 0 && found;
      },
      { withinMs: 20_000, what: 'all rows, and nothing left in Redis' },
    );
    redis.disconnect();
    expect(rows.map((row) => row['id']).sort()).to.deep.equal(ended.sort());
    expect(new Set(rows.map((row) => row['outcome']))).to.deep.equal(new Set(['ok']));
  });

  it('Redis stopped while a stream runs: the stream goes on, its row comes later', async () => {
    const other = await stack.makeCaller();
    await untilAllServe();
    stack.ollama.next({ tokens: 40, paceMs: 10, promptTokens: 5 });
    const response = await post(`${stack.gateway.url}/api/chat`, other.key, CHAT);
    stack.redis.signal('SIGSTOP');
    const text = await response.text();
    expect(text.trimEnd().split('\n').at(-1)).to.include('"done":true');
    stack.redis.signal('SIGCONT');
    const [row] = await until(() => stack.readAudit(other.keyId, 1).catch(() => undefined), {
      withinMs: 25_000,
      what: 'the row',
    });
    expect(row).to.include({ outcome: 'ok', prompt_tokens: 5, completion_tokens: 40 });
  });

  it('Postgres black-holed: 503 once trust lapses, 200 after it is back', async () => {
    postgres.blackhole();
    await until(async () => (await ask()) === 503, { withinMs: 2_000, what: 'trust to lapse' });
    const statuses = new Set<number>();
    for (let n = 0; n < 10; n += 1) statuses.add(await ask());
    expect([...statuses]).to.deep.equal([503]);
    postgres.pass();
    await until(async () => (await ask()) === 200, { withinMs: 25_000, what: 'trust to return' });
  });

  it('Postgres gone while requests were served: their rows arrive when it is back', async () => {
    const other = await stack.makeCaller();
    const response = await post(`${stack.gateway.url}/api/chat`, other.key, CHAT);
    postgres.reset();
    await response.text();
    postgres.pass();
    await until(() => stack.readAudit(other.keyId, 1).catch(() => undefined), {
      withinMs: 20_000,
      what: 'the row',
    });
  });
});
