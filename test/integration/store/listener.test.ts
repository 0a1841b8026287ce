import { expect } from 'chai';
import { startListening } from '../../../lib/store/listener.ts';
import type { Listener } from '../../../lib/store/listener.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';
import { until } from '../../support/until.ts';

const NAME = 'listener-under-test';
const CHANNEL = 'a_channel';

describe('store/listener', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let sql: PostgresClient;
  let listener: Listener | undefined;
  let notices: number;
  let troubles: number;

  beforeEach(async () => {
    database = await makeDatabase();
    sql = await connect(database.url);
    notices = 0;
    troubles = 0;
  });

  afterEach(async () => {
    await listener?.stop();
    await sql.end();
    await database.drop();
  });

  function start(url = database.url): void {
    listener = startListening({
      url,
      applicationName: NAME,
      channel: CHANNEL,
      timeoutMs: 2_000,
      onNotice: () => {
        notices += 1;
      },
      onTrouble: () => {
        troubles += 1;
      },
    });
  }

  async function findPid(): Promise<number | undefined> {
    const { rows } = await sql.query<{ pid: number }>(
      "select pid from pg_stat_activity where application_name = $1 and query ilike 'listen%'",
      [NAME],
    );
    return rows[0]?.pid;
  }

  function listening(): Promise<number> {
    return until(findPid, { withinMs: 10_000, what: 'the listener' });
  }

  it('says that there may be something as soon as it listens, and at each notification', async () => {
    start();
    await listening();
    await until(() => notices, { withinMs: 5_000, what: 'the first look' });
    for (const payload of ['revocation', '', '{"not":', 'x'.repeat(7_000)]) {
      const before = notices;
      await sql.query('select pg_notify($1, $2)', [CHANNEL, payload]);
      await until(() => notices > before, { withinMs: 5_000, what: 'the notice' });
    }
    expect(troubles).to.equal(0);
  });

  it('never gives up: it listens again, and looks, after each loss of its connection', async () => {
    start();
    for (let round = 0; round < 3; round += 1) {
      const pid = await listening();
      const before = notices;
      await sql.query('select pg_terminate_backend($1)', [pid]);
      await until(async () => (await findPid()) !== pid && notices > before, {
        withinMs: 10_000,
        what: 'another connection and a look',
      });
    }
  });

  it('goes on trying while Postgres refuses it, and stops when it is told to', async () => {
    const url = new URL(database.url);
    url.pathname = '/a_database_that_is_not';
    start(url.href);
    await until(() => troubles > 2, { withinMs: 10_000, what: 'three tries' });
    await listener?.stop();
    const before = troubles;
    expect(await findPid()).to.equal(undefined);
    expect(troubles).to.equal(before);
  });

  it('leaves no connection behind when it is stopped', async () => {
    start();
    await listening();
    await listener?.stop();
    await until(
      async () => {
        const { rows } = await sql.query<{ n: number }>(
          'select count(*)::int as n from pg_stat_activity where application_name = $1',
          [NAME],
        );
        return rows[0]?.n === 0;
      },
      { withinMs: 5_000, what: 'its connection to end' },
    );
  });
});
