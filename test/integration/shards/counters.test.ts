import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { periodsAt } from '../../../lib/ledger/counter.ts';
import type { Counter, PeriodName } from '../../../lib/ledger/counter.ts';
import { KEYS } from '../../../lib/ledger/keys.ts';
import type { Scope } from '../../../lib/ledger/keys.ts';
import type { CounterLook } from '../../../lib/ledger/look-replies.ts';
import type { ShardsParts } from '../../../lib/shards/shards-parts.ts';
import type { Shards } from '../../../lib/shards/start-shards.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { loadMovableScripts, moveTime } from '../../support/movable-time.ts';
import { KEY_ID, sampleEntry, TENANT_ID } from '../../support/sample-request.ts';
import { openShardWorld, untilShard } from '../../support/shard-world.ts';
import type { ShardWorld } from '../../support/shard-world.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import type { OwnRedis } from '../../support/one-redis.ts';
import { startOwnRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

const MINUTE_MS = 60_000;
/** The last day of a month, at noon. */
const NOON_MS = Date.UTC(2025, 10, 30, 12);
const TODAY = periodsAt(NOON_MS);
const TOMORROW = periodsAt(NOON_MS + 720 * MINUTE_MS);
const KEY: Scope = `k:${KEY_ID}`;
const TENANT: Scope = `t:${TENANT_ID}`;
const FACTS = JSON.stringify({
  ...{ clientAddress: null, clientRequestId: null, dialect: 'native', endpoint: 'chat' },
  ...{ streamed: true, model: 'llama3:latest' },
});

describe('shards/counters', function () {
  this.timeout(30_000);
  let own: OwnRedis;
  let world: ShardWorld;
  let redis: Redis;
  let next = 0;

  before(async function () {
    this.timeout(60_000);
    own = await startOwnRedis({ appendOnly: false, port: 0 });
  });
  beforeEach(async function () {
    this.timeout(60_000);
    world = await openShardWorld(own.url);
    redis = world.redis;
    await moveTime(redis, KEYS.life(0), NOON_MS);
  });
  afterEach(() => world.close());
  after(() => own.remove());

  const makeId = (): string => `01980000-0000-7000-8000-${String((next += 1)).padStart(12, '0')}`;
  const settle = (admittedAtMs: number, chargedTokens: number): Promise<void> =>
    world.ledger.settle(sampleEntry({ id: makeId(), admittedAtMs, chargedTokens }));
  const hold = (heldTokens: number): Promise<void> => {
    const facts = {
      ...{ id: makeId(), shard: 0, keyId: KEY_ID, tenantId: TENANT_ID, countedTokens: 0 },
      ...{ admittedAtMs: NOON_MS, heldTokens, facts: FACTS },
    };
    return world.ledger.rehold(0, [{ hold: facts, promptTokens: 0, completionTokens: 0 }]);
  };
  const startReady = async (changes: Partial<ShardsParts> = {}): Promise<Shards> => {
    const shards = world.start(changes);
    await untilShard(shards, 'ready', ({ ready }) => ready);
    return shards;
  };
  const wish = async (shards: Shards, ...names: string[]): Promise<void> => {
    await redis.sadd(KEYS.fills(0), ...names);
    shards.wake(0);
  };
  const look = async (scope: Scope, period: PeriodName): Promise<CounterLook | undefined> =>
    (await world.look.counters([{ scope, period }])).counters[0];
  const untilCounter = (
    scope: Scope,
    period: PeriodName,
    isSo: (counter: CounterLook) => boolean,
  ): Promise<CounterLook> =>
    until(
      async () => {
        const counter = await look(scope, period);
        return counter?.exists === true && isSo(counter) && counter;
      },
      { withinMs: 5_000, what: `${scope}|${period}` },
    );
  const fillAll = async (shards: Shards, counters: readonly Counter[]): Promise<void> => {
    await wish(shards, ...counters.map(({ scope, period }) => `${scope}|${period}`));
    for (const { scope, period } of counters) await untilCounter(scope, period, () => true);
  };
  const spoil = (scope: Scope, period: PeriodName, spent: number, held: number): Promise<number> =>
    redis.hset(KEYS.budget(0, scope), `${period}.spent`, spent, `${period}.held`, held);

  it('fills what is asked for with what ledger and live holds add up to, each period its own', async () => {
    const shards = await startReady();
    await settle(NOON_MS, 10);
    await settle(NOON_MS - 1_440 * MINUTE_MS, 100);
    await settle(NOON_MS - 40 * 1_440 * MINUTE_MS, 1_000);
    await hold(7);
    const counters = [KEY, TENANT].flatMap((scope) =>
      Object.values(TODAY).map((period) => ({ scope, period })),
    );
    await fillAll(shards, counters);
    const spent = await Promise.all(
      counters.map(async ({ scope, period }) => (await look(scope, period))?.spentTokens),
    );
    expect(spent).to.deep.equal([10, 110, 1_110, 10, 110, 1_110]);
    expect((await look(KEY, TODAY.day))?.heldTokens).to.equal(7);
    expect(await redis.scard(KEYS.fills(0))).to.equal(0);
    expect([...world.counts.keys()].join()).to.not.include('drifted');
  });

  it('counts what comes into the stream between the drain and the fill', async () => {
    const proxy = await startFaultProxy(own.url, { scripts: loadMovableScripts() });
    const proxied = await connectRedis(proxy.url);
    try {
      const shards = await startReady({ redis: proxied });
      await settle(NOON_MS, 10);
      const filling = proxy.hold({ command: 'fill', when: 'before' });
      await wish(shards, `${KEY}|t`);
      const held = await filling;
      await settle(NOON_MS, 5);
      expect(await redis.xlen(KEYS.events(0))).to.equal(1);
      held.pass();
      await untilCounter(KEY, 't', ({ spentTokens }) => spentTokens === 15);
    } finally {
      await world.stopAll();
      proxied.disconnect();
      await proxy.close();
    }
  });

  it('fills and compares any number, and is not stopped by a name that is none', async () => {
    const shards = await startReady({ compareMs: 1_000 });
    const scopes = Array.from({ length: 700 }, (): Scope => `k:${randomUUID()}`);
    await wish(shards, 'nonsense', ...scopes.map((scope) => `${scope}|t`));
    await until(async () => (await redis.scard(KEYS.fills(0))) === 1, {
      withinMs: 5_000,
      what: 'all to be filled',
    });
    const looked = await world.look.counters(scopes.map((scope) => ({ scope, period: 't' })));
    expect(looked.counters.every(({ exists }) => exists)).to.equal(true);

    await Promise.all(scopes.map((scope) => spoil(scope, 't', 3, 4)));
    await until(() => world.counts.get('drifted held high') === 700, {
      withinMs: 10_000,
      what: 'all to be set right',
    });
    expect(world.counts.get('drifted spent high')).to.equal(700);
  });

  it('sets right what is wrong, counts it, and makes nothing that nobody has asked for', async () => {
    const shards = await startReady({ compareMs: 300 });
    await settle(NOON_MS, 10);
    await hold(7);
    await fillAll(shards, [
      { scope: KEY, period: TODAY.day },
      { scope: TENANT, period: 't' },
    ]);
    await spoil(KEY, TODAY.day, 30, 7);
    await spoil(TENANT, 't', 1, 2);
    const isRight = (counter: CounterLook): boolean =>
      counter.spentTokens === 10 && counter.heldTokens === 7;
    await untilCounter(KEY, TODAY.day, isRight);
    await untilCounter(TENANT, 't', isRight);

    expect((await look(KEY, TODAY.month))?.exists).to.equal(false);
    expect(world.counts.get('drifted spent high')).to.equal(1);
    expect(world.counts.get('drifted spent low')).to.equal(1);
    expect(world.counts.get('drifted held low')).to.equal(1);
    expect(world.counts.get('drifted held high')).to.equal(undefined);
    const drifts = world.lines.filter((line) => line['event'] === 'budget_drift');
    expect(drifts[0]?.['names']).to.match(/^[kt]:[0-9a-f-]{36}\|\w+/);
  });

  it('prolongs nothing by comparing, and forgets a scope that has no counter any more', async () => {
    const shards = await startReady({ compareMs: 100 });
    await fillAll(shards, [
      { scope: KEY, period: 't' },
      { scope: TENANT, period: 't' },
    ]);
    await redis.pexpire(KEYS.budget(0, TENANT), 60_000);
    await redis.del(KEYS.budget(0, KEY));
    await until(async () => (await redis.sismember(KEYS.scopes(0), KEY)) === 0, {
      withinMs: 5_000,
      what: 'the scope to be forgotten',
    });
    expect(await redis.sismember(KEYS.scopes(0), TENANT)).to.equal(1);
    await spoil(TENANT, 't', 30, 0);
    await untilCounter(TENANT, 't', ({ spentTokens }) => spentTokens === 0);
    expect(await redis.pttl(KEYS.budget(0, TENANT))).to.be.within(1, 60_000);
  });

  it('begins a comparison anew of which a part was lost with an answer', async () => {
    const proxy = await startFaultProxy(own.url, { scripts: loadMovableScripts() });
    const proxied = await connectRedis(proxy.url);
    try {
      const shards = await startReady({ redis: proxied });
      await fillAll(shards, [{ scope: KEY, period: 't' }]);
      await spoil(KEY, 't', 30, 0);
      const cut = proxy.at(
        { command: 'fill', when: 'before', filter: (args) => args.includes('compare') },
        (held) => {
          held.cut();
        },
      );
      // Midnight alone makes it compare: the next one would be a day away.
      await moveTime(redis, KEYS.life(0), NOON_MS + 720 * MINUTE_MS);
      await cut;
      await untilCounter(KEY, 't', ({ spentTokens }) => spentTokens === 0);
    } finally {
      proxied.disconnect();
      await proxy.close();
    }
  });

  it('compares at midnight, whatever the time since the last comparison', async () => {
    const shards = await startReady();
    await fillAll(shards, [{ scope: KEY, period: 't' }]);
    await spoil(KEY, 't', 30, 0);
    await moveTime(redis, KEYS.life(0), NOON_MS + 720 * MINUTE_MS);
    await untilCounter(KEY, 't', ({ spentTokens }) => spentTokens === 0);
    // The owner counts once it has heard what its script did.
    await until(() => world.counts.get('drifted spent high') === 1, {
      withinMs: 2_000,
      what: 'the drift to be counted',
    });
  });

  it('fills the coming day and month ahead for whoever has a counter of the present ones', async () => {
    const shards = await startReady();
    await fillAll(shards, [
      { scope: KEY, period: TODAY.day },
      { scope: TENANT, period: TODAY.month },
      { scope: KEY, period: 't' },
    ]);
    await moveTime(redis, KEYS.life(0), NOON_MS + 714 * MINUTE_MS);
    shards.wake(0);
    await redis.sadd(KEYS.fills(0), `${TENANT}|t`);
    await untilCounter(TENANT, 't', () => true);
    expect((await look(KEY, TOMORROW.day))?.exists).to.equal(false);

    await moveTime(redis, KEYS.life(0), NOON_MS + 716 * MINUTE_MS);
    await untilCounter(KEY, TOMORROW.day, ({ spentTokens }) => spentTokens === 0);
    await untilCounter(TENANT, TOMORROW.month, ({ spentTokens }) => spentTokens === 0);
    expect((await look(TENANT, TOMORROW.day))?.exists).to.equal(false);
    expect((await look(KEY, TOMORROW.month))?.exists).to.equal(false);
  });

  it('writes nothing under a claim that is another’s by then', async () => {
    const proxy = await startFaultProxy(own.url, { scripts: loadMovableScripts() });
    const proxied = await connectRedis(proxy.url);
    try {
      const shards = await startReady({ redis: proxied });
      const filling = proxy.hold({ command: 'fill', when: 'before' });
      await wish(shards, `${KEY}|t`);
      const held = await filling;
      await world.shard.own('other');
      held.pass();
      await until(async () => (await redis.hget(KEYS.life(0), 'owner')) !== 'other', {
        withinMs: 5_000,
        what: 'the owner to claim again',
      });
      await untilCounter(KEY, 't', () => true);
    } finally {
      await world.stopAll();
      proxied.disconnect();
      await proxy.close();
    }
  });
});
