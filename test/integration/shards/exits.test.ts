import { expect } from 'chai';
import { KEYS } from '../../../lib/ledger/keys.ts';
import { startExits } from '../../../lib/shards/exits.ts';
import type { Exits } from '../../../lib/shards/exits.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { recordLog } from '../../support/record-log.ts';
import { KEY_ID, TENANT_ID } from '../../support/sample-request.ts';
import { openShardWorld, WORLD_INCARNATION } from '../../support/shard-world.ts';
import type { ShardWorld } from '../../support/shard-world.ts';
import { openShardLedger } from '../../../lib/ledger/shard-ledger.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import type { OwnRedis } from '../../support/one-redis.ts';
import { startOwnRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

const makeId = (index: number): string =>
  `01980000-0000-7000-8000-${String(index).padStart(12, '0')}`;

describe('shards/exits', function () {
  this.timeout(30_000);
  let own: OwnRedis;
  let world: ShardWorld;
  let exits: Exits | undefined;
  let reaped: number;

  before(async function () {
    this.timeout(60_000);
    own = await startOwnRedis({ appendOnly: false, port: 0 });
  });
  beforeEach(async function () {
    this.timeout(60_000);
    world = await openShardWorld(own.url);
    reaped = 0;
  });
  afterEach(async () => {
    await exits?.stop(0);
    await world.close();
  });
  after(() => own.remove());

  const start = (ledgers: Parameters<typeof startExits>[0]['ledgers']): Exits =>
    (exits = startExits({
      ledgers,
      counts: {
        reaped: (_, n) => {
          reaped += n;
        },
      },
      log: recordLog().log,
    }));
  const hold = (from: number, count: number): Promise<void> =>
    world.ledger.rehold(
      0,
      Array.from({ length: count }, (_, n) => ({
        hold: {
          id: makeId(from + n),
          ...{ shard: 0, keyId: KEY_ID, tenantId: TENANT_ID, countedTokens: 0 },
          ...{ admittedAtMs: systemClock.wallMs(), heldTokens: 500 },
          facts: JSON.stringify({
            id: makeId(from + n),
            ...{ clientAddress: null, clientRequestId: null, dialect: 'native' },
            ...{ endpoint: 'chat', streamed: true, model: 'llama3:latest' },
          }),
        },
        ...{ promptTokens: 10, completionTokens: 20 },
      })),
    );
  const countHolds = (): Promise<number> => world.redis.zcard(KEYS.lapse(0));
  const untilHolds = (count: number, withinMs = 5_000): Promise<unknown> =>
    until(async () => (await countHolds()) === count, { withinMs, what: `${count} holds` });

  it('ends all holds of that worker, charged with what it told last, and no other’s', async () => {
    await hold(0, 250);
    const parts = start([world.shard]);
    parts.note('worker-2');
    parts.note(WORLD_INCARNATION);
    await untilHolds(0);
    // Counted once Redis has said how many it were, a moment after they are gone.
    await until(() => reaped === 250, { withinMs: 5_000, what: 'all 250 to be counted' });
    const events = await world.shard.events.read(1);
    expect(events[0]?.entry).to.include({ outcome: 'lost', status: 0, chargedTokens: 30 });
  });

  it('tries again until Redis has acknowledged', async () => {
    const proxy = await startFaultProxy(own.url);
    const proxied = await connectRedis(proxy.url);
    try {
      await hold(0, 3);
      proxy.reset();
      const parts = start([openShardLedger(proxied, 0)]);
      parts.note(WORLD_INCARNATION);
      expect(await countHolds()).to.equal(3);
      proxy.pass();
      await untilHolds(0);
      await parts.stop(1_000);
    } finally {
      proxied.disconnect();
      await proxy.close();
    }
  });

  it('looks again for what a worker had sent before its end and Redis carried out after it', async () => {
    const parts = start([world.shard]);
    await hold(0, 1);
    parts.note(WORLD_INCARNATION);
    await untilHolds(0);
    await hold(1, 1);
    await untilHolds(0, 8_000);
    await until(() => reaped === 2, { withinMs: 1_000, what: 'both to be counted' });
  });

  it('ends at once what is there when it is told to stop, and waits no longer for a Redis that is away', async () => {
    const parts = start([world.shard]);
    await hold(0, 150);
    parts.note(WORLD_INCARNATION);
    await parts.stop(2_000);
    expect(await countHolds()).to.equal(0);

    let asked = 0;
    const away = start([
      {
        reapExit: () => {
          asked += 1;
          return Promise.reject(new Error('away'));
        },
      },
    ]);
    for (let n = 0; n < 1_005; n += 1) away.note(`worker-${n}`);
    expect(asked).to.equal(1_000);
    const since = systemClock.monotonicMs();
    await away.stop(300);
    expect(systemClock.monotonicMs() - since).to.be.within(290, 1_500);
  });
});
