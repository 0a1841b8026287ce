import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { readBudgetUse } from '../../../lib/inspection/budget-use.ts';
import type { BudgetUse } from '../../../lib/inspection/budget-use.ts';
import { toLevels, watchBudgets } from '../../../lib/inspection/watch-budgets.ts';
import type { BudgetWatch } from '../../../lib/inspection/watch-budgets.ts';
import { periodsAt } from '../../../lib/ledger/counter.ts';
import { KEYS } from '../../../lib/ledger/keys.ts';
import { LabelSet } from '../../../lib/metrics/label-set.ts';
import { makeClient } from '../../../lib/store/postgres.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { KEY_ID, sampleEntry, TENANT_ID } from '../../support/sample-request.ts';
import { seedAccount } from '../../support/seed-account.ts';
import { openShardWorld, untilShard } from '../../support/shard-world.ts';
import type { ShardWorld } from '../../support/shard-world.ts';
import type { OwnRedis } from '../../support/one-redis.ts';
import { startOwnRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

const OWNED = new Set([0]);
/** Within one second nobody is near the end of a month. */
const NOW_MS = systemClock.wallMs();

describe('inspection/budget-use', function () {
  this.timeout(30_000);
  let own: OwnRedis;
  let world: ShardWorld;
  let watch: BudgetWatch | undefined;

  before(async function () {
    this.timeout(60_000);
    own = await startOwnRedis({ appendOnly: false, port: 0 });
  });
  beforeEach(async function () {
    this.timeout(60_000);
    world = await openShardWorld(own.url);
  });
  afterEach(async () => {
    await watch?.stop();
    watch = undefined;
    await world.close();
  });
  after(() => own.remove());

  const limit = (tokens: number, period: string, tenantId = TENANT_ID): Promise<unknown> =>
    world.sql.query(
      `insert into gateway.tenant_limits (tenant_id, budget_tokens, budget_period) values ($1, $2, $3)
       on conflict (tenant_id) do update set budget_tokens = $2, budget_period = $3`,
      [tenantId, tokens, period],
    );
  const charge = async (chargedTokens: number): Promise<void> => {
    const rows = await world.countRows();
    const id = randomUUID();
    await world.ledger.settle(sampleEntry({ id, admittedAtMs: NOW_MS, chargedTokens }));
    await until(async () => (await world.countRows()) > rows, {
      withinMs: 5_000,
      what: 'the entry in Postgres',
    });
  };
  const look = (owned: ReadonlySet<number> = OWNED): Promise<readonly BudgetUse[]> =>
    readBudgetUse({ queries: world.sql, redis: world.redis, shards: 1, owned });

  it('knows from Redis what is spent and held, and from the ledger what Redis was not asked for', async () => {
    const shards = world.start();
    await untilShard(shards, 'ready', ({ ready }) => ready);
    await limit(1_000, 'month');
    await charge(800);
    expect(await look()).to.deep.equal([
      { tenant: 'acme', period: 'month', spentRatio: 0.8, heldRatio: 0 },
    ]);

    await world.redis.sadd(KEYS.fills(0), `t:${TENANT_ID}|${periodsAt(NOW_MS).month}`);
    shards.wake(0);
    await until(async () => (await world.redis.exists(KEYS.budget(0, `t:${TENANT_ID}`))) === 1, {
      withinMs: 5_000,
      what: 'the counter',
    });
    const hold = {
      ...{ id: randomUUID(), shard: 0, keyId: KEY_ID, tenantId: TENANT_ID, countedTokens: 0 },
      ...{ admittedAtMs: NOW_MS, heldTokens: 150, facts: '{}' },
    };
    await world.ledger.rehold(0, [{ hold, promptTokens: 0, completionTokens: 0 }]);
    expect(await look()).to.deep.equal([
      { tenant: 'acme', period: 'month', spentRatio: 0.8, heldRatio: 0.15 },
    ]);
    // A raised limit counts at once; another period is another counter.
    await limit(8_000, 'total');
    expect(await look()).to.deep.equal([
      { tenant: 'acme', period: 'total', spentRatio: 0.1, heldRatio: 0 },
    ]);
  });

  it('leaves out what belongs to another owner, budgets of nothing, and tenants that are not active', async () => {
    await limit(1_000, 'day');
    expect(await look()).to.have.length(1);
    expect(await look(new Set([1]))).to.deep.equal([]);
    await limit(0, 'day');
    expect(await look()).to.deep.equal([]);
    await limit(10, 'day');
    await world.sql.query("update gateway.tenants set status = 'suspended'");
    expect(await look()).to.deep.equal([]);
  });

  it('is looked at again and again while a shard is owned; what is too old is not told', async () => {
    await limit(1_000, 'day');
    const troubles: unknown[] = [];
    let owned: ReadonlySet<number> = new Set();
    let database = world.databaseUrl;
    watch = watchBudgets({
      makeClient: () =>
        makeClient({
          ...{ url: database, applicationName: 'test' },
          ...{ connectTimeoutMs: 2_000, timeoutMs: 2_000 },
        }),
      ...{ redis: world.redis, shards: 1, clock: systemClock, everyMs: 100, mostTenants: 1 },
      readOwned: () => owned,
      onTrouble: (error) => troubles.push(error),
    });
    const told = (): number => watch?.current().length ?? 0;
    expect(told()).to.equal(0);
    owned = OWNED;
    await until(() => told() === 1, { withinMs: 5_000, what: 'the first look' });
    database = 'postgres://127.0.0.1:9/none';
    await until(() => troubles.length > 0 && told() === 0, {
      withinMs: 5_000,
      what: 'nothing to be told any more',
    });
    database = world.databaseUrl;
    await until(() => told() === 1, { withinMs: 5_000, what: 'another look' });
    owned = new Set();
    await until(() => told() === 0, { withinMs: 5_000, what: 'another owner to tell it' });
  });

  it('the oldest tenants keep their labels, of the rest the one that has spent most is told', async () => {
    const later = randomUUID();
    await seedAccount(world.sql, {
      ...{ tenantId: later, keyId: randomUUID(), slug: 'later', publicId: 'BBBBBBBBBBBB' },
    });
    await limit(1_000, 'day');
    await limit(1_000, 'day', later);
    expect((await look()).map(({ tenant }) => tenant)).to.deep.equal(['acme', 'later']);

    const use = (tenant: string, spentRatio: number): BudgetUse => {
      return { tenant, period: 'day', spentRatio, heldRatio: 0 };
    };
    const labels = new LabelSet(1);
    const uses = [use('acme', 0.1), use('later', 0.2), use('last', 0.9), use('more', 0.3)];
    const wanted = [use('acme', 0.1), use('other', 0.9)];
    expect(toLevels(uses, labels)).to.deep.equal(wanted);
    expect(toLevels(uses.toReversed(), labels)).to.have.deep.members(wanted);
  });
});
