import { expect } from 'chai';
import { prepareShared, prepareStores, StartError } from '../../../lib/cluster/prepare.ts';
import { loadSettings } from '../../../lib/config/load-settings.ts';
import type { Settings } from '../../../lib/config/settings.ts';
import { migrate } from '../../../lib/store/migrations.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { PEPPER } from '../../support/launch-gateway.ts';
import { recordLog } from '../../support/record-log.ts';
import { connect, makeEmptyDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { startTestRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

describe('cluster/prepare', function () {
  this.timeout(30_000);
  const never = new AbortController().signal;
  let database: TestDatabase;
  let redisUrl: string;
  let redis: Redis;

  before(async () => {
    [database, { url: redisUrl }] = await Promise.all([makeEmptyDatabase(), startTestRedis()]);
    redis = await connectRedis(redisUrl);
  });
  after(async () => {
    redis.disconnect();
    await database.drop();
  });

  function makeSettings(environment: Readonly<Record<string, string>> = {}): Settings {
    return loadSettings({
      DATABASE_URL: database.url,
      REDIS_URL: redisUrl,
      OLLAMA_URL: 'http://127.0.0.1:9',
      NZGW_KEY_PEPPER: PEPPER,
      NZGW_ALLOW_VOLATILE_REDIS: 'true',
      ...environment,
    }).settings;
  }

  async function catchError(act: () => unknown): Promise<unknown> {
    try {
      await act();
    } catch (error) {
      return error;
    }
    throw new Error('nothing was thrown');
  }

  it('does not wait for a schema to come, and takes the shards from it once it is there', async () => {
    const { log, lines } = recordLog();
    const prepare = () => prepareStores(makeSettings(), redis, log, never);
    const error = await catchError(prepare);
    expect(error).to.be.instanceOf(StartError).with.property('message').that.includes('migrate');

    const client = await connect(database.url);
    await migrate(client, { shards: 3 });
    await client.end();
    expect(await prepare()).to.deep.equal({ shards: 3 });
    // The tests' own Postgres is a fast one.
    expect(lines.map(({ event }) => event)).to.deep.equal(['commits_may_be_lost']);
  });

  it('has nothing to say of a Postgres that keeps its commits', async () => {
    const { log, lines } = recordLog();
    const url = new URL(database.url);
    url.searchParams.set('options', '-c synchronous_commit=on');
    await prepareStores(makeSettings({ DATABASE_URL: url.href }), redis, log, never);
    expect(lines).to.deep.equal([]);
  });

  it('does not wait for a Redis to become another', async () => {
    const { log } = recordLog();
    const settings = makeSettings({ NZGW_ALLOW_VOLATILE_REDIS: 'false' });
    const error = await catchError(() => prepareStores(settings, redis, log, never));
    expect(error).to.be.instanceOf(StartError).with.property('message').that.includes('AOF');
  });

  it('waits for what does not answer, says so once, and ends when told to', async () => {
    const { log, lines } = recordLog();
    const stop = new AbortController();
    const settings = makeSettings({
      DATABASE_URL: 'postgresql://nobody:hunter22@127.0.0.1:9/none',
    });
    const prepared = catchError(() => prepareStores(settings, redis, log, stop.signal));
    await until(() => lines.length > 0, { withinMs: 5_000, what: 'a line' });
    stop.abort();
    expect(await prepared).to.have.property('name', 'AbortError');
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({
      event: 'waiting',
      for: 'postgres',
      'error.code': 'ECONNREFUSED',
    });
    expect(JSON.stringify(lines)).to.not.include('hunter22');
  });

  it('names the folder in which shared memory cannot be made', async () => {
    const error = await catchError(() => prepareShared('/dev/null/none'));
    expect(error)
      .to.be.instanceOf(StartError)
      .with.property('message')
      .that.includes('/dev/null/none (ENOTDIR)');
  });
});
