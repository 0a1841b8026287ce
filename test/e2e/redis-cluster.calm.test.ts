import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { KEYS, shardOf } from '../../lib/ledger/keys.ts';
import { openShardLook } from '../../lib/ledger/look.ts';
import { loadScripts } from '../../lib/ledger/scripts.ts';
import { makeKey } from '../../lib/auth/key-format.ts';
import type { Limits } from '../../lib/shared/records.ts';
import type { Redis } from '../../lib/store/redis.ts';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { askChat } from '../support/caller-load.ts';
import type { Asked } from '../support/caller-load.ts';
import { completeKey } from '../support/complete-key.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { LIFE_TIMES } from '../support/life-settings.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { connect } from '../support/test-postgres.ts';
import { connectRedis } from '../support/connect-redis.ts';
import type { OwnRedis } from '../support/one-redis.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';
import type { OwnRedisCluster } from '../support/redis-cluster.ts';
import { until } from '../support/until.ts';

const SHARDS = 16;
const LONG = 'qwen3:8b';
const LONG_TOKENS = 100;

describe('e2e: on a Redis Cluster of three nodes, with 16 shards', function () {
  this.timeout(60_000);
  let cluster: OwnRedisCluster;
  let stack: Stack;
  let nodes: readonly Redis[] = [];
  /** One of each node, at least. */
  let callers: readonly MadeKey[];
  const asked: Asked[] = [];

  before(async () => {
    cluster = await startRedisCluster();
    nodes = await Promise.all(cluster.urls.map(connectRedis));
    stack = await startStack({
      // One worker: who was served is known to it, and its proof is not asked of any node again.
      workers: 1,
      env: { ...LIFE_TIMES.env, REDIS_URL: cluster.urls.join(',') },
      ollama: {
        always: { tokens: 5, promptTokens: 7 },
        byModel: {
          [LONG]: {
            tokens: LONG_TOKENS,
            paceMs: (LIFE_TIMES.readyAfterMs + 2_500) / LONG_TOKENS,
            promptTokens: 7,
          },
        },
      },
      through: async (urls) => {
        // As `nzgw migrate --shards 16` leaves it.
        const sql = await connect(urls.databaseUrl);
        await sql.query('update gateway_meta.settings set shards = $1', [SHARDS]);
        await sql.end();
        return urls;
      },
    });
    callers = await makeCallersEverywhere();
  });
  after(async () => {
    for (const node of nodes) node.disconnect();
    await stack.stop();
    await cluster.remove();
  });

  /** Their tenants lie on different shards. */
  async function makeCallersEverywhere(): Promise<readonly MadeKey[]> {
    const byShard = new Map<number, MadeKey>();
    const used = new Set<OwnRedis>();
    while (byShard.size < 6 || used.size < cluster.nodes.length) {
      const caller = await stack.makeCaller();
      const shard = shardOf(caller.tenantId, SHARDS);
      byShard.set(shard, byShard.get(shard) ?? caller);
      used.add(await nodeOf(caller));
    }
    return [...byShard.values()];
  }

  function nodeOf({ tenantId }: MadeKey): Promise<OwnRedis> {
    return cluster.nodeOf(KEYS.life(shardOf(tenantId, SHARDS)));
  }

  async function ask(caller: MadeKey, model = 'llama3'): Promise<Asked> {
    const one = await askChat(stack, { caller, model, numPredict: LONG_TOKENS });
    asked.push(one);
    return one;
  }

  async function askUntil(caller: MadeKey, status: number, withinMs: number): Promise<Asked> {
    return until(
      async () => {
        const one = await ask(caller);
        return one.status === status && one;
      },
      { withinMs, what: `${status}` },
    );
  }

  async function checkAll(): Promise<void> {
    const admitted = asked.filter(({ status }) => status === 200).map(({ id }) => id);
    const { counters } = await checkLedger(
      { database: stack.database, redis: { url: cluster.urls } },
      { admitted },
    );
    expect(counters.redisTokens).to.equal(counters.ledgerTokens);
  }

  async function makeLimited(limits: Partial<Limits>): Promise<MadeKey> {
    return stack.makeKey(await stack.makeTenant(), { limits: { ...NO_LIMITS, ...limits } });
  }

  it('callers of every shard are served, and have their rows', async () => {
    const both = await Promise.all(
      callers.flatMap((caller) => [ask(caller), ask(caller, 'llama3')]),
    );
    expect(both.map(({ status }) => status)).to.deep.equal(both.map(() => 200));
    for (const caller of callers) {
      const rows = await stack.readAudit(caller.keyId, 2);
      expect(rows.map(({ outcome }) => outcome)).to.deep.equal(['ok', 'ok']);
    }
    await checkAll();
  });

  it('limits of a minute and budgets hold, and a caller sees its own', async () => {
    const limited = await makeLimited({ requestsPerMinute: 2, tokensPerMinute: 1_000_000 });
    const statuses = [await ask(limited), await ask(limited), await ask(limited)];
    expect(statuses.map(({ status }) => status)).to.deep.equal([200, 200, 429]);

    const budgeted = await makeLimited({ budgetTokens: 600, budgetPeriod: 'day' });
    const { headers } = await askUntil(budgeted, 429, 5_000);
    expect(headers.get('x-should-retry')).to.equal('false');
    const own = await fetch(`${stack.gateway.url}/api/v1/key`, {
      headers: { authorization: `Bearer ${budgeted.key}` },
    });
    expect(own.status).to.equal(200);
    expect(await own.text()).to.include('"limit":600');
    const wrong = { ...limited, key: completeKey(limited.publicId, makeKey().key) };
    expect((await ask(wrong)).status).to.equal(401);
    await checkAll();
  });

  it('a node that is stopped concerns its shards alone, and what it admitted late is taken back', async () => {
    const [caller] = callers as [MadeKey];
    const stopped = await nodeOf(caller);
    const others = await listOthers(stopped);
    stopped.signal('SIGSTOP');
    try {
      const [refused, ...served] = await Promise.all([
        ask(caller),
        ...others.map((one) => ask(one)),
      ]);
      expect(refused.status).to.equal(503);
      expect(served.map(({ status }) => status)).to.deep.equal(served.map(() => 200));
    } finally {
      stopped.signal('SIGCONT');
    }
    await askUntil(caller, 200, 10_000);
    await checkAll();
  });

  async function listOthers(node: OwnRedis): Promise<readonly MadeKey[]> {
    const owners = await Promise.all(callers.map(nodeOf));
    return callers.filter((_, index) => owners[index] !== node);
  }

  it('a node that lost its data holds again what runs on its shards, before it admits', async () => {
    const [caller] = callers as [MadeKey];
    const seen = stack.ollama.inferences.length;
    const streams = callers.map((one) => ask(one, LONG));
    await stack.ollama.received(seen + streams.length);
    const emptied = nodes[cluster.nodes.indexOf(await nodeOf(caller))];
    await emptied?.flushall();
    expect((await ask(caller)).status).to.equal(503);
    await askUntil(caller, 200, LIFE_TIMES.readyWithinMs);
    const ended = await Promise.all(streams);
    expect(ended.map(({ status }) => status)).to.deep.equal(ended.map(() => 200));
    await checkAll();
  });

  it('workers that are killed have their streams ended and charged, on every shard', async () => {
    const seen = stack.ollama.inferences.length;
    const broken = callers.map((one) => ask(one, LONG).catch(() => undefined));
    await stack.ollama.received(seen + broken.length);
    for (const { worker_pid: pid } of stack.gateway.events('worker_listening')) {
      process.kill(Number(pid), 'SIGKILL');
    }
    await Promise.all(broken);
    await until(async () => (await countLost()) === broken.length, {
      withinMs: 15_000,
      what: 'every stream to be ended',
    });
    await checkAll();
  });

  async function countLost(): Promise<number> {
    const { rows } = await stack.database.query<{ count: number }>(
      `select count(*)::integer as count from gateway.audit_log where outcome = 'lost'`,
    );
    return rows[0]?.count ?? 0;
  }

  it('every script of the ledger ran there, and none went beyond its slot', async () => {
    const connection = await connectRedis(cluster.urls);
    const look = openShardLook(connection, shardOf(callers[0]?.tenantId ?? '', SHARDS));
    const { keyId = '', tenantId = '' } = callers[0] ?? {};
    await look.waits({
      keyId,
      tenantId,
      keyLimits: NO_LIMITS,
      tenantLimits: NO_LIMITS,
      neededTokens: 1,
    });
    connection.disconnect();

    const known = await Promise.all(nodes.map(listKnownScripts));
    const missing = loadScripts().filter((_, n) => !known.some((of) => of[n]));
    expect(missing.map(({ command }) => command)).to.deep.equal([]);
    for (const node of nodes) expect(await node.info('errorstats')).not.to.include('CROSSSLOT');
  });
});

/** In the order of `loadScripts`. */
async function listKnownScripts(node: Redis): Promise<readonly boolean[]> {
  const found = await node.script('EXISTS', ...loadScripts().map(({ lua }) => digest(lua)));
  return (found as number[]).map(Boolean);
}

function digest(lua: string): string {
  return createHash('sha1').update(lua).digest('hex');
}
