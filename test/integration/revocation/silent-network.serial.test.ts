import { expect } from 'chai';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import type { FaultProxy } from '../../support/fault-proxy.ts';
import { rounds } from '../../support/rounds.ts';
import { seedKey, seedTenant } from '../../support/seed-key.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';
import { startTrustWorld, TRUST_NAME } from '../../support/trust-world.ts';
import type { TrustWorld } from '../../support/trust-world.ts';
import { until } from '../../support/until.ts';

/** SPEC §10: what was revoked is known a second after Postgres is back. */
const BACK_WITHIN_MS = 1_000;
/** Longer than what an answer on a session that is lost is waited for. */
const LEAST_AWAY_MS = 2_000;
const MOST_AWAY_MS = 7_000;
/** Between what a first try of a load waits for an answer and what the second does. */
const SLOW_ANSWER_MS = 1_200;

describe('revocation: the network to Postgres was silent, and is back without a word', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let sql: PostgresClient;
  let proxy: FaultProxy;
  let tenantId: string;
  let world: TrustWorld | undefined;

  before(async () => {
    database = await makeDatabase();
    sql = await connect(database.url);
    tenantId = await seedTenant(sql, 'acme');
  });
  beforeEach(async () => {
    proxy = await startFaultProxy(database.url);
  });
  afterEach(async () => {
    await world?.stop();
    world = undefined;
    await proxy.close();
  });
  after(async () => {
    await sql.end();
    await database.drop();
  });

  for (const { index, random } of rounds({ ci: 2, full: 50 })) {
    it(`a revocation made meanwhile is in force within a second of its return (round ${index})`, async () => {
      const { keyId, publicId } = await seedKey(sql, tenantId);
      const standing = (world = await startTrustWorld(() => proxy.url));
      await standing.loop.firstSnapshot;
      proxy.blackhole();
      const awayMs = LEAST_AWAY_MS + random() * (MOST_AWAY_MS - LEAST_AWAY_MS);
      await pass(awayMs / 2);
      await sql.query('insert into gateway.revocations (key_id) values ($1)', [keyId]);
      await pass(awayMs / 2);
      expect(standing.isTrusted()).to.equal(false);
      proxy.passNew();
      await standing.untilTrusted(BACK_WITHIN_MS);
      expect(standing.readStatus(publicId)).to.equal('revoked');
    });
  }

  it('it fell silent in the middle of a load: the next one is not waited for any longer', async () => {
    const held = proxy.hold({ command: 'fetch', when: 'before' });
    const standing = (world = await startTrustWorld(() => proxy.url));
    const load = await held;
    proxy.blackhole();
    load.pass();
    await pass(LEAST_AWAY_MS);
    proxy.passNew();
    await standing.untilTrusted(BACK_WITHIN_MS);
  });

  it('a load whose answers are slow comes to its end: the next try waits longer for each', async () => {
    const startedAtMs = systemClock.monotonicMs();
    let begun = false;
    // Each of them, and the next is waited for before this one is let go.
    const slowDown = (): void => {
      proxy
        .at({ command: 'fetch', when: 'after' }, () => {
          if (!begun) slowDown();
          return pass(SLOW_ANSWER_MS);
        })
        .catch(() => undefined);
    };
    slowDown();
    const standing = (world = await startTrustWorld(() => proxy.url));
    await standing.loop.firstSnapshot;
    begun = true;
    await standing.untilTrusted(3_000);
    expect(systemClock.monotonicMs() - startedAtMs).to.be.above(2 * SLOW_ANSWER_MS);
    expect(standing.troubles.length).to.equal(1);
  });

  it('a server that is slow to be connected to is left with one session', async () => {
    proxy.delay(350);
    const standing = (world = await startTrustWorld(() => proxy.url));
    await standing.loop.firstSnapshot;
    const { session } = standing.loop.state();
    proxy.delay(0);
    const readSessions = async (): Promise<readonly number[]> => {
      const { rows } = await sql.query<{ pid: number }>(
        'select pid from pg_stat_activity where datname = current_database() and application_name = $1',
        [TRUST_NAME],
      );
      return rows.map(({ pid }) => pid);
    };
    await until(async () => (await readSessions()).length === 1, {
      withinMs: 3_000,
      what: 'the others to end',
    });
    expect(await readSessions()).to.deep.equal([session]);
    expect(standing.troubles).to.deep.equal([]);
  });
});

async function pass(ms: number): Promise<void> {
  const endMs = systemClock.monotonicMs() + ms;
  await until(() => systemClock.monotonicMs() >= endMs, {
    withinMs: ms + 1_000,
    what: 'the time to pass',
  });
}
