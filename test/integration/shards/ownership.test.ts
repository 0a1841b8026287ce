import { expect } from 'chai';
import { KEYS } from '../../../lib/ledger/keys.ts';
import type { GatewayPresence } from '../../../lib/shards/shards-parts.ts';
import { GATEWAY_LOCK, LOCK_CLASS } from '../../../lib/store/advisory-locks.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import type { Clock } from '../../../lib/time/clock.ts';
import { flushAll } from '../../support/every-node.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import type { FaultProxy } from '../../support/fault-proxy.ts';
import { loadMovableScripts, moveTime } from '../../support/movable-time.ts';
import { KEY_ID, sampleEntry, TENANT_ID } from '../../support/sample-request.ts';
import { openShardWorld, untilShard } from '../../support/shard-world.ts';
import type { ShardWorld } from '../../support/shard-world.ts';
import { connect } from '../../support/test-postgres.ts';
import { connectRedis, untilConnected } from '../../support/connect-redis.ts';
import type { OwnRedis } from '../../support/one-redis.ts';
import { startOwnRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

const AT_MS = 1_764_000_000_123;
const READY_AFTER_MS = 12_000;
/** Every look of the owner is seconds after the last one; only one of each counts. */
const FAST: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() * 20 };
/** Twelve counted seconds are at least so long, of looks 200 ms apart. */
const AT_LEAST_MS = 2_200;

describe('shards/ownership', function () {
  this.timeout(30_000);
  let own: OwnRedis;
  let world: ShardWorld;
  let redis: Redis;
  let gateways: PostgresClient[] = [];

  before(async function () {
    this.timeout(60_000);
    own = await startOwnRedis({ appendOnly: true, port: 0 });
  });
  beforeEach(async function () {
    this.timeout(60_000);
    world = await openShardWorld(own.url);
    redis = world.redis;
  });
  afterEach(async () => {
    await Promise.all(gateways.map((client) => client.end()));
    gateways = [];
    await world.close();
  });
  after(() => own.remove());

  /** A gateway that others can see; the number of its session. */
  async function connectGateway(): Promise<number> {
    const client = await connect(world.databaseUrl);
    gateways.push(client);
    const { rows } = await client.query<{ pid: number }>(
      'select pg_advisory_lock_shared($1, $2), pg_backend_pid() as pid',
      [LOCK_CLASS, GATEWAY_LOCK],
    );
    return rows[0]?.pid ?? 0;
  }
  const readLife = (): Promise<Record<string, string>> => redis.hgetall(KEYS.life(0));
  const untilReady = (shards: ReturnType<ShardWorld['start']>): Promise<unknown> =>
    untilShard(shards, 'ready', ({ ready }) => ready, 15_000);
  const countEvents = (event: string): number =>
    world.lines.filter((line) => line['event'] === event).length;

  async function throughRedisProxy(
    act: (proxied: Redis, proxy: FaultProxy) => Promise<void>,
  ): Promise<void> {
    const proxy = await startFaultProxy(own.url, { scripts: loadMovableScripts() });
    const proxied = await connectRedis(proxy.url);
    try {
      await act(proxied, proxy);
    } finally {
      await world.stopAll();
      proxied.disconnect();
      await proxy.close();
    }
  }

  it('admits at once in a new Redis when it is the only gateway and has admitted nothing', async () => {
    const session = await connectGateway();
    const shards = world.start({
      readyAfterMs: READY_AFTER_MS,
      gateway: { readSession: () => session, hasAdmitted: () => false },
    });
    await untilShard(shards, 'ready', ({ ready }) => ready, 1_000);
    expect(await world.shard.isReady()).to.equal(true);
    const life = await readLife();
    expect(life['id']).to.match(/^[0-9a-f-]{36}$/);
    expect(countEvents('life_begun')).to.equal(1);
    expect(countEvents('shard_ready')).to.equal(1);
  });

  it('waits for twelve answered seconds when another gateway is there, or it has admitted, or cannot be seen', async () => {
    const session = await connectGateway();
    await connectGateway();
    const presences: readonly GatewayPresence[] = [
      { readSession: () => session, hasAdmitted: () => false },
      { readSession: () => null, hasAdmitted: () => false },
      { readSession: () => session, hasAdmitted: () => true },
    ];
    for (const gateway of presences) {
      await flushAll(redis);
      const since = systemClock.monotonicMs();
      const shards = world.start({ readyAfterMs: READY_AFTER_MS, clock: FAST, gateway });
      await untilShard(shards, 'owned', ({ owner }) => owner);
      expect(await world.shard.isReady()).to.equal(false);
      await untilReady(shards);
      expect(systemClock.monotonicMs() - since).to.be.at.least(AT_LEAST_MS);
      await shards.stop();
    }
  });

  it('counts anew, under another claim, after a look that Redis did not answer', async () => {
    await throughRedisProxy(async (proxied, proxy) => {
      const shards = world.start({
        ...{ redis: proxied, readyAfterMs: READY_AFTER_MS, clock: FAST },
      });
      await untilShard(shards, 'owned', ({ owner }) => owner);
      let claim: string | undefined;
      await proxy.at({ command: 'tick', nth: 8, when: 'before' }, async ({ cut }) => {
        claim = (await readLife())['owner'];
        cut();
      });
      const since = systemClock.monotonicMs();
      await untilReady(shards);
      expect(systemClock.monotonicMs() - since).to.be.at.least(AT_LEAST_MS);
      expect((await readLife())['owner']).to.not.equal(claim);
      expect(countEvents('shard_failed')).to.equal(1);
    });
  });

  it('begins a new life when Redis started again, and old counters are gone with the old one', async () => {
    const shards = world.start();
    await untilReady(shards);
    const before = await readLife();
    await redis.sadd(KEYS.fills(0), `k:${KEY_ID}|t`);
    const counter = { scope: `k:${KEY_ID}`, period: 't' } as const;
    const exists = async (): Promise<boolean | undefined> =>
      (await world.look.counters([counter])).counters[0]?.exists;
    await until(exists, { withinMs: 5_000, what: 'the counter' });

    await own.restart();
    await untilConnected(redis);
    const after = await until(
      async () => {
        const life = await readLife();
        return life['id'] !== before['id'] && life['ready'] === '1' && life;
      },
      { withinMs: 5_000, what: 'a new life' },
    );
    expect(after['run']).to.not.equal(before['run']);
    expect(await exists()).to.equal(false);
    expect(shards.state()[0]?.owner).to.equal(true);
  });

  it('begins a new life when Redis was emptied', async () => {
    const shards = world.start();
    await untilReady(shards);
    const before = await readLife();
    await flushAll(redis);
    const after = await until(
      async () => {
        const life = await readLife();
        return life['ready'] === '1' && life;
      },
      { withinMs: 5_000, what: 'a new life' },
    );
    expect(after['id']).to.not.equal(before['id']);
    expect(after['owner']).to.not.equal(before['owner']);
  });

  it('makes a claim of its own, and keeps it from whoever owned the shard before', async () => {
    await world.shard.own('stale');
    await world.shard.begin('stale', 'life-1');
    await world.shard.ready('stale', 'life-1');
    await untilReady(world.start());
    expect((await readLife())['id']).to.equal('life-1');

    const owner = { claim: 'stale', lifeId: 'life-1' };
    const sum = { scope: `k:${KEY_ID}`, period: 't', tokens: 0 } as const;
    expect(await world.shard.tick('stale')).to.equal('owner');
    expect(await world.shard.begin('stale', 'life-2')).to.equal('owner');
    expect(await world.shard.ready('stale', 'life-1')).to.equal('owner');
    expect(await world.shard.reap('stale', 100)).to.equal('owner');
    expect(await world.shard.fill(owner, [sum], 'fill')).to.equal('owner');
  });

  it('claims again when a stale owner has claimed, for its lock is proof', async () => {
    const shards = world.start();
    await untilReady(shards);
    await world.shard.own('stale');
    await until(async () => (await readLife())['owner'] !== 'stale', {
      withinMs: 5_000,
      what: 'the claim',
    });
    await untilReady(shards);
    expect(await world.shard.tick('stale')).to.equal('owner');
  });

  it('hands the shard over with its life when its session is lost', async () => {
    const [first, second] = [world.start(), world.start()];
    await until(() => [first, second].some((shards) => shards.state()[0]?.owner), {
      withinMs: 5_000,
      what: 'an owner',
    });
    const [owner, waiting] = first.state()[0]?.owner ? [first, second] : [second, first];
    await untilReady(owner);
    await untilShard(waiting, 'seen to be ready', ({ ready }) => ready);
    const before = await readLife();
    await owner.stop();
    await untilShard(waiting, 'owned and ready', (state) => state.owner && state.ready);
    const after = await readLife();
    expect(after['id']).to.equal(before['id']);
    expect(after['owner']).to.not.equal(before['owner']);
  });

  it('ends lapsed holds, each charged whole', async () => {
    await moveTime(redis, KEYS.life(0), AT_MS);
    const hold = {
      ...{ id: sampleEntry().id, shard: 0, keyId: KEY_ID, tenantId: TENANT_ID },
      ...{ admittedAtMs: AT_MS, heldTokens: 500, countedTokens: 0 },
      facts: JSON.stringify({
        id: sampleEntry().id,
        ...{ clientAddress: null, clientRequestId: null, dialect: 'native', endpoint: 'chat' },
        ...{ streamed: true, model: 'llama3:latest' },
      }),
    };
    await world.ledger.rehold(0, [{ hold, promptTokens: 10, completionTokens: 20 }]);
    const shards = world.start();
    await untilReady(shards);
    expect(await world.look.holds()).to.have.length(1);
    await moveTime(redis, KEYS.life(0), AT_MS + 30_001);
    await until(async () => (await world.countRows()) === 1, { withinMs: 5_000, what: 'the row' });
    const { rows } = await world.sql.query(
      `select id, status, outcome, model, prompt_tokens, completion_tokens, charged_tokens
       from gateway.audit_log`,
    );
    expect(rows).to.deep.equal([
      {
        ...{ id: hold.id, status: 0, outcome: 'lost', model: 'llama3:latest' },
        ...{ prompt_tokens: 10, completion_tokens: 20, charged_tokens: 500 },
      },
    ]);
    expect(world.counts.get('reaped lapsed')).to.equal(1);
  });

  it('deletes nothing while nobody knows whether a commit took place, and counts it once', async () => {
    for (const when of ['before', 'after'] as const) {
      const postgres = await startFaultProxy(world.databaseUrl);
      const id = `01980000-0000-7000-8000-00000000000${when.length}`;
      const waiting: number[] = [];
      const hit = postgres.at({ command: 'commit', when }, async ({ cut }) => {
        waiting.push(await redis.xlen(KEYS.events(0)));
        cut();
      });
      const shards = world.start({ databaseUrl: postgres.url });
      await world.ledger.settle(sampleEntry({ id }));
      await hit;
      expect(waiting).to.deep.equal([1]);
      await until(async () => (await redis.xlen(KEYS.events(0))) === 0, {
        withinMs: 5_000,
        what: 'the stream to be empty',
      });
      await shards.stop();
      await postgres.close();
    }
    expect(await world.countRows()).to.equal(2);
    const { rows } = await world.sql.query('select requests from gateway.token_ledger');
    expect(rows).to.deep.equal([{ requests: 2 }]);
  });

  it('knows since when the oldest entry waits for Postgres, and that none waits any more', async () => {
    const postgres = await startFaultProxy(world.databaseUrl);
    const shards = world.start({ databaseUrl: postgres.url });
    await untilReady(shards);
    expect(shards.state()[0]?.oldestAtMs).to.equal(null);
    const wroteAtMs = systemClock.monotonicMs();
    const held = postgres.hold({ command: 'with entry as materialized', when: 'before' });
    await world.ledger.settle(sampleEntry());
    const step = await held;
    const oldestAtMs = shards.state()[0]?.oldestAtMs ?? 0;
    expect(oldestAtMs).to.be.closeTo(wroteAtMs, 500);
    step.pass();
    await untilShard(shards, 'drained', (state) => state.oldestAtMs === null);
    expect(await world.countRows()).to.equal(1);
    await shards.stop();
    await postgres.close();
  });

  it('keeps its session alive, and says that Postgres is there, while Redis hangs', async () => {
    await throughRedisProxy(async (proxied, proxy) => {
      const shards = world.start({ redis: proxied });
      await untilReady(shards);
      proxy.blackhole();
      await untilShard(shards, 'not ready', ({ ready }) => !ready);
      const hangsSince = systemClock.monotonicMs();
      await until(
        () => {
          const [state] = shards.state();
          expect(state?.owner).to.equal(true);
          const silentMs = systemClock.monotonicMs() - (state?.answeredAtMs ?? 0);
          expect(silentMs).to.be.below(1_500);
          return systemClock.monotonicMs() - hangsSince > 3_000;
        },
        { withinMs: 5_000, what: 'some time of it' },
      );
      proxy.pass();
      await untilReady(shards);
    });
  });

  it('ends in time when it is told to stop while Redis hangs', async () => {
    await throughRedisProxy(async (proxied, proxy) => {
      const shards = world.start({ redis: proxied });
      await untilReady(shards);
      proxy.blackhole();
      const since = systemClock.monotonicMs();
      await shards.stop();
      expect(systemClock.monotonicMs() - since).to.be.below(5_500);
      expect(shards.state()[0]).to.include({ owner: false, ready: false, answeredAtMs: null });
    });
  });

  it('does not know whether the shard admits while it waits and Redis is away', async () => {
    await throughRedisProxy(async (proxied, proxy) => {
      await untilReady(world.start());
      const waiting = world.start({ redis: proxied });
      await untilShard(waiting, 'seen to be ready', ({ ready }) => ready);
      proxy.reset();
      await untilShard(waiting, 'unknown', ({ ready }) => !ready);
      proxy.pass();
      await untilShard(waiting, 'seen to be ready', ({ ready }) => ready);
      expect(waiting.state()[0]?.owner).to.equal(false);
    });
  });
});
