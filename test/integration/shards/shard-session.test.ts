import { expect } from 'chai';
import { openShardSession } from '../../../lib/shards/shard-session.ts';
import { GATEWAY_LOCK, LOCK_CLASS } from '../../../lib/store/advisory-locks.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

describe('shards/shard-session', () => {
  let database: TestDatabase;
  before(async function () {
    this.timeout(60_000);
    database = await makeDatabase();
  });
  after(() => database.drop());

  it('lets one session own a shard, and the next once that one has ended', async () => {
    const first = await openShardSession(database.url, 4, systemClock);
    const second = await openShardSession(database.url, 4, systemClock);
    const other = await openShardSession(database.url, 5, systemClock);
    expect(await first.tryLock()).to.equal(true);
    expect(await second.tryLock()).to.equal(false);
    expect(await other.tryLock()).to.equal(true);
    await first.end();
    expect(await second.tryLock()).to.equal(true);
    await second.end();
    await other.end();
    await other.end();
  });

  it('is ended by Postgres after ten silent seconds', async () => {
    const session = await openShardSession(database.url, 4, systemClock);
    const { rows } = await session.client.query<{ idle: string; inside: string }>(
      `select current_setting('idle_session_timeout') as idle,
              current_setting('idle_in_transaction_session_timeout') as inside`,
    );
    expect(rows).to.deep.equal([{ idle: '10s', inside: '10s' }]);
    await session.end();
  });

  it('rejects where there is no Postgres', async () => {
    const outcome = await openShardSession('postgres://127.0.0.1:1/none', 0, systemClock).catch(
      (error: unknown) => error,
    );
    expect(outcome).to.have.property('code', 'ECONNREFUSED');
  });

  it('tells whether a gateway is the only one connected, whatever other databases have', async () => {
    const elsewhere = await makeDatabase();
    const clients = await Promise.all([database.url, database.url, elsewhere.url].map(connect));
    const sessions: number[] = [];
    for (const client of clients) {
      const { rows } = await client.query<{ pid: number }>(
        'select pg_advisory_lock_shared($1, $2), pg_backend_pid() as pid',
        [LOCK_CLASS, GATEWAY_LOCK],
      );
      sessions.push(rows[0]?.pid ?? 0);
    }
    const [own, other, foreign] = sessions as [number, number, number];
    const session = await openShardSession(database.url, 4, systemClock);
    expect(await session.isAlone(own)).to.equal(false);
    await clients[1]?.query('select pg_advisory_unlock_shared($1, $2)', [LOCK_CLASS, GATEWAY_LOCK]);
    expect(await session.isAlone(own)).to.equal(true);
    expect(await session.isAlone(other)).to.equal(false);
    expect(await session.isAlone(foreign)).to.equal(false);
    await session.end();
    await Promise.all(clients.map((client) => client.end()));
    await elsewhere.drop();
  });

  it('notes when Postgres answered last', async () => {
    const session = await openShardSession(database.url, 4, systemClock);
    expect(session.answeredAtMs).to.equal(null);
    await session.beat();
    expect(session.answeredAtMs).to.be.closeTo(systemClock.monotonicMs(), 500);
    await session.end();
  });
});
