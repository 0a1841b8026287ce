import { expect } from 'chai';
import { startFakeOllama } from '../support/fake-ollama.ts';
import type { FakeOllama } from '../support/fake-ollama.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { launchGateway } from '../support/launch-gateway.ts';
import type { Gateway } from '../support/launch-gateway.ts';
import { noteSecret } from '../support/secret-grep.ts';
import { connect, makeDatabase, makeEmptyDatabase } from '../support/test-postgres.ts';
import type { TestDatabase } from '../support/test-postgres.ts';
import { startOwnRedis, startTestRedis } from '../support/test-redis.ts';
import { until } from '../support/until.ts';

const SECRETS = ['hunter2-of-postgres', 'hunter2-of-redis', 'a-short-pepper'] as const;

describe('e2e: what the gateway does not start on', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let redisUrl: string;
  let ollama: FakeOllama;

  before(async () => {
    for (const secret of SECRETS) noteSecret(secret);
    [database, { url: redisUrl }, ollama] = await Promise.all([
      makeDatabase(),
      startTestRedis(),
      startFakeOllama(),
    ]);
  });
  after(async () => {
    await Promise.all([database.drop(), ollama.close()]);
  });

  interface Wanted {
    readonly databaseUrl?: string;
    readonly redisUrl?: string;
    readonly env?: Readonly<Record<string, string>>;
  }

  function launch(wanted: Wanted): Promise<Gateway> {
    return launchGateway({
      databaseUrl: database.url,
      redisUrl,
      ollamaUrl: ollama.url,
      ...wanted,
      waitUntilReady: false,
    });
  }

  /** Its last words, once it has ended by itself with this code. */
  async function expectRefusal(wanted: Wanted, code: number): Promise<string> {
    const gateway = await launch(wanted);
    expect(await gateway.exited, gateway.output()).to.equal(code);
    expect(gateway.events('listening')).to.deep.equal([]);
    for (const secret of SECRETS) expect(gateway.output()).to.not.include(secret);
    return gateway.output();
  }

  it('settings that are wrong: all of them are told at once, no secret among them', async () => {
    const output = await expectRefusal(
      {
        databaseUrl: `mysql://nzgw:${SECRETS[0]}@127.0.0.1/gateway`,
        redisUrl: `http://:${SECRETS[1]}@127.0.0.1`,
        env: {
          NZGW_KEY_PEPPER: SECRETS[2],
          NZGW_PORT: 'eighty',
          NZGW_WORKERS: '0',
          OLLAMA_URL: 'ftp://127.0.0.1',
          MODEL_DISCOVERY_MAX_AGE_SECONDS: '5',
        },
      },
      2,
    );
    expect(output).to.include('the settings are not right');
    for (const name of [
      'DATABASE_URL',
      'REDIS_URL',
      'NZGW_KEY_PEPPER',
      'NZGW_PORT',
      'NZGW_WORKERS',
      'OLLAMA_URL',
      'MODEL_DISCOVERY_MAX_AGE_SECONDS',
    ]) {
      expect(output).to.match(new RegExp(`^  - ${name}: wanted `, 'm'));
    }
  });

  it('a database without a schema: it tells to migrate', async () => {
    const empty = await makeEmptyDatabase();
    const output = await expectRefusal({ databaseUrl: empty.url }, 5);
    expect(output).to.include('error: the database has no schema yet: run nzgw migrate');
    await empty.drop();
  });

  it('a schema of a newer version that is marked breaking', async () => {
    const newer = await makeDatabase();
    const client = await connect(newer.url);
    const add = 'insert into gateway_meta.migrations (id, name, digest, breaking) values ';
    await client.query(`${add} (900001, '900001_far_ahead', repeat('0', 64), true)`);
    await client.end();
    const output = await expectRefusal({ databaseUrl: newer.url }, 5);
    expect(output).to.include('900001_far_ahead');
    expect(output).to.include('upgrade this program');
    await newer.drop();
  });

  it('a Redis that forgets at a restart, unless that is allowed', async () => {
    const output = await expectRefusal({ env: { NZGW_ALLOW_VOLATILE_REDIS: 'false' } }, 5);
    expect(output).to.include('Redis runs without AOF (appendonly no)');
    expect(output).to.include('NZGW_ALLOW_VOLATILE_REDIS=true');
  });

  it('a Redis that throws keys away when it is full', async () => {
    const settings = ['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'];
    const redis = await startOwnRedis({ settings });
    const output = await expectRefusal({ redisUrl: redis.url }, 5);
    expect(output).to.include('maxmemory-policy allkeys-lru; it must be noeviction');
    await redis.remove();
  });

  it('a folder for shared memory that is not there', async () => {
    const directory = '/nzgw-test/no-such-folder';
    const output = await expectRefusal({ env: { RUNTIME_DIRECTORY: directory } }, 5);
    expect(output).to.include(`cannot be made in ${directory} (ENOENT)`);
    expect(output).to.include('RUNTIME_DIRECTORY');
  });

  it('a setting that nobody knows is only warned of, with a guess', async () => {
    const env = { NZGW_DRAIN_SECOND: '1', NZGW_ALLOW_VOLATILE_REDIS: 'false' };
    const output = await expectRefusal({ env }, 5);
    expect(output).to.include('NZGW_DRAIN_SECOND is not a setting; was NZGW_DRAIN_SECONDS meant?');
  });
});

describe('e2e: what the gateway waits for at its start', function () {
  this.timeout(40_000);
  let database: TestDatabase;
  let ollama: FakeOllama;

  before(async () => {
    [database, ollama] = await Promise.all([makeDatabase(), startFakeOllama()]);
  });
  after(async () => {
    await Promise.all([database.drop(), ollama.close()]);
  });

  async function untilWaiting(gateway: Gateway, store: string): Promise<void> {
    await until(() => gateway.events('waiting').some((line) => line['for'] === store), {
      withinMs: 10_000,
      what: `it to wait for ${store}`,
    });
    const ready = await fetch(`${gateway.adminUrl}/readyz`);
    expect(ready.status).to.equal(503);
    expect(await ready.json()).to.have.property('status', 'fail');
    expect((await fetch(`${gateway.adminUrl}/healthz`)).status).to.equal(200);
    expect(gateway.events('worker_listening')).to.deep.equal([]);
    expect(gateway.url).to.equal('');
    expect(gateway.isRunning()).to.equal(true);
  }

  async function untilReady(gateway: Gateway): Promise<void> {
    await until(
      async () => gateway.url !== '' && (await fetch(`${gateway.url}/readyz`)).status === 200,
      { withinMs: 12_000, what: 'it to be ready' },
    );
    expect((await fetch(`${gateway.adminUrl}/readyz`)).status).to.equal(200);
  }

  it('a Redis that is started later', async () => {
    const redis = await startOwnRedis();
    await redis.stop();
    const gateway = await launchGateway({
      databaseUrl: database.url,
      redisUrl: redis.url,
      ollamaUrl: ollama.url,
      waitUntilReady: false,
    });
    await untilWaiting(gateway, 'redis');
    await redis.restart();
    await untilReady(gateway);
    expect(await gateway.stop()).to.equal(0);
    await redis.remove();
  });

  for (const fault of ['reset', 'blackhole'] as const) {
    it(`a Postgres whose connections fail at first (${fault})`, async () => {
      const redis = await startTestRedis();
      const proxy = await startFaultProxy(database.url);
      proxy[fault]();
      const gateway = await launchGateway({
        databaseUrl: proxy.url,
        redisUrl: redis.url,
        ollamaUrl: ollama.url,
        waitUntilReady: false,
      });
      await untilWaiting(gateway, 'postgres');
      proxy.pass();
      await untilReady(gateway);
      expect(await gateway.stop()).to.equal(0);
      await proxy.close();
    });
  }

  it('told to stop while it waits, it ends in order', async () => {
    const gateway = await launchGateway({
      databaseUrl: database.url,
      redisUrl: 'redis://127.0.0.1:9',
      ollamaUrl: ollama.url,
      waitUntilReady: false,
    });
    await untilWaiting(gateway, 'redis');
    expect(await gateway.stop()).to.equal(0);
  });
});
