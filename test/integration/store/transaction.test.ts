import { expect } from 'chai';
import { openPool } from '../../../lib/store/postgres.ts';
import type { Connection, Pool } from '../../../lib/store/postgres.ts';
import { OutcomeUnknown, transact } from '../../../lib/store/transaction.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import type { FaultProxy } from '../../support/fault-proxy.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

describe('store/transaction', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let proxy: FaultProxy;
  let pool: Pool;
  let sql: Awaited<ReturnType<typeof connect>>;

  before(async () => {
    database = await makeDatabase();
    sql = await connect(database.url);
    await sql.query('create table acts (name text unique deferrable initially deferred)');
  });
  beforeEach(async () => {
    await sql.query('delete from acts');
    proxy = await startFaultProxy(database.url);
    pool = openPool({
      url: proxy.url,
      applicationName: 'test',
      maxConnections: 1,
      timeoutMs: 5_000,
    });
  });
  afterEach(async () => {
    await pool.end();
    await proxy.close();
  });
  after(async () => {
    await sql.end();
    await database.drop();
  });

  async function insert(connection: Connection): Promise<string> {
    await connection.query('insert into acts values ($1)', ['a']);
    return 'done';
  }

  async function count(): Promise<number> {
    return (await sql.query('select from acts')).rows.length;
  }

  function act(work = insert): Promise<string> {
    return transact(pool, systemClock, work);
  }

  function fail(act: Promise<unknown>): Promise<unknown> {
    return act.then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  it('is done once it resolves, and its connection serves the next', async () => {
    expect(await act()).to.equal('done');
    expect(await count()).to.equal(1);
    await act(() => Promise.resolve('nothing'));
  });

  it('undoes what an act did that then failed, and throws what that threw', async () => {
    const cause = new Error('not so');
    const failing = act(async (connection) => {
      await insert(connection);
      throw cause;
    });
    expect(await fail(failing)).to.equal(cause);
    expect(await count()).to.equal(0);
    expect(await act()).to.equal('done');
  });

  for (const command of ['insert into acts', 'select pg_current_xact_id', 'commit']) {
    const when = command === 'commit' ? 'before' : 'after';
    it(`does nothing where the connection ends ${when} "${command}"`, async () => {
      const cut = proxy.at({ command, when }, ({ cut }) => {
        cut();
      });
      expect(await fail(act()))
        .to.be.instanceOf(Error)
        .and.not.instanceOf(OutcomeUnknown);
      await cut;
      expect(await count()).to.equal(0);
    });
  }

  it('is done although the answer to its COMMIT is lost: Postgres is asked', async () => {
    const cut = proxy.at({ command: 'commit', when: 'after' }, ({ cut }) => {
      cut();
    });
    expect(await act()).to.equal('done');
    await cut;
    expect(await count()).to.equal(1);
  });

  it('is not done where the COMMIT is refused', async () => {
    await insert(sql);
    expect(await fail(act())).to.include({ code: '23505' });
    expect(await count()).to.equal(1);
  });

  it('says that it does not know where nobody can be asked', async () => {
    const gone = proxy.at({ command: 'commit', when: 'after' }, ({ cut }) => {
      proxy.reset();
      cut();
    });
    expect(await fail(act())).to.be.instanceOf(OutcomeUnknown);
    await gone;
    expect(await count()).to.equal(1);
  });
});
