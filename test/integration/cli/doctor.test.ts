import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { listOuterAddresses } from '../../../lib/health/outer-addresses.ts';
import { ROOT } from '../../../lib/root.ts';
import { startFakeOllama } from '../../support/fake-ollama.ts';
import type { FakeOllama } from '../../support/fake-ollama.ts';
import { PEPPER } from '../../support/launch-gateway.ts';
import { readDocument, runNzgw } from '../../support/run-nzgw.ts';
import type { Run } from '../../support/run-nzgw.ts';
import { startSharingPooler } from '../../support/sharing-pooler.ts';
import { connect, makeDatabase, makeEmptyDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';
import type { OwnRedis } from '../../support/one-redis.ts';
import { startOwnRedis } from '../../support/test-redis.ts';

const PASSWORD = 'password-that-nobody-may-see';
const NOBODY = 'http://127.0.0.1:1';
const OF_POSTGRES = ['postgres', 'schema', 'rights', 'triggers', 'notify', 'clock-postgres'];
const OF_REDIS = ['redis', 'clock-redis'];
const OF_UPSTREAM = ['upstream', 'upstream-port'];
const OF_HOST = ['argon2', 'open-files', 'shared-memory'];
const ALL = ['settings', ...OF_POSTGRES, ...OF_REDIS, ...OF_UPSTREAM, ...OF_HOST];

interface Check {
  readonly name: string;
  readonly about: string | null;
  readonly status: string;
  readonly seen: string;
  readonly hint: string | null;
  readonly ms: number;
}

function checksOf(run: Run): readonly Check[] {
  return readDocument(run)['checks'] as readonly Check[];
}

function find(run: Run, name: string): Check {
  const check = checksOf(run).find((one) => one.name === name);
  if (!check) throw new Error(`no check ${name}: ${run.stdout}`);
  return check;
}

function listFailed(run: Run): readonly string[] {
  return checksOf(run).flatMap(({ name, status }) => (status === 'fail' ? [name] : []));
}

describe('cli: doctor', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let runtimeUrl: string;
  let redis: OwnRedis;
  let ollama: FakeOllama;

  before(async () => {
    [database, redis, ollama] = await Promise.all([
      makeDatabase(),
      startOwnRedis(),
      startFakeOllama({ version: '0.12.3' }),
    ]);
    const client = await connect(database.url);
    await client.query('create role doctor_runtime login in role gateway_runtime');
    await client.query('alter role doctor_runtime set synchronous_commit = on');
    await client.query('create role doctor_nobody login');
    await client.end();
    runtimeUrl = database.url.replace(/user=\w+/, 'user=doctor_runtime');
  });

  after(async () => {
    await Promise.all([redis.remove(), ollama.close()]);
    await database.drop();
  });

  function runDoctor(
    env: Readonly<Record<string, string>> = {},
    args: readonly string[] = ['--json'],
  ): Promise<Run> {
    const good = {
      DATABASE_URL: runtimeUrl,
      REDIS_URL: redis.url,
      OLLAMA_URL: ollama.url,
      NZGW_KEY_PEPPER: PEPPER,
    };
    return runNzgw(['doctor', ...args], { env: { ...good, ...env } });
  }

  it('in a good world every check passes: exit 0, one document, nothing else', async () => {
    const run = await runDoctor();
    expect(checksOf(run).map(({ name }) => name)).to.deep.equal(ALL);
    expect(listFailed(run), run.stdout).to.deep.equal([]);
    expect([run.code, run.stderr]).to.deep.equal([0, '']);
    expect(readDocument(run)).to.have.all.keys('ok', 'passed', 'warned', 'failed', 'checks');
    for (const check of checksOf(run)) {
      expect(check).to.have.all.keys('name', 'about', 'status', 'seen', 'hint', 'ms');
    }
    for (const name of [...OF_POSTGRES, ...OF_REDIS, ...OF_UPSTREAM, 'settings']) {
      expect(find(run, name).status, JSON.stringify(find(run, name))).to.equal('pass');
    }
    expect(find(run, 'rights').seen).to.match(/^doctor_runtime has the \d\d+ rights/);
    expect(find(run, 'triggers').seen).to.equal('11 triggers, all enabled');
    expect(find(run, 'redis').seen).to.match(/^\d+\.\d+\.\d+, .*noeviction, AOF$/);
    expect(find(run, 'upstream')).to.include({ about: ollama.url });
    expect(find(run, 'upstream').seen).to.match(/^0\.12\.3, answers in /);
    expect(find(run, 'argon2').seen).to.include('19 MiB, 2 passes, 1 lanes');
  });

  it('without --json it is a table, with what to do under each finding', async () => {
    const run = await runDoctor({ DATABASE_URL: database.url }, []);
    expect(run.code, run.stderr).to.equal(0);
    expect(run.stdout).to.match(/^STATUS +CHECK +SEEN\npass +settings +\d+ settings, 4 of them/);
    expect(run.stdout).to.match(/\nwarn +rights +\w+ is a superuser\n +-> for nzgw serve/);
    expect(run.stdout).to.match(/\n\n\d+ passed, \d+ warned, 0 failed\n$/);
  });

  it('a Redis that may throw keys away is named with the line that mends it: exit 8', async () => {
    const lossy = await startOwnRedis({ settings: ['--maxmemory-policy', 'allkeys-lru'] });
    const run = await runDoctor({ REDIS_URL: lossy.url });
    await lossy.remove();
    expect([run.code, listFailed(run)]).to.deep.equal([8, ['redis']]);
    expect(find(run, 'redis').seen).to.include('allkeys-lru');
    expect(find(run, 'redis').hint).to.equal('set maxmemory-policy noeviction in redis.conf');
  });

  it('a Redis without AOF is a fault, and a warning where that was allowed', async () => {
    const volatile = await startOwnRedis({ appendOnly: false });
    const refused = await runDoctor({ REDIS_URL: volatile.url });
    const allowed = await runDoctor({
      REDIS_URL: volatile.url,
      NZGW_ALLOW_VOLATILE_REDIS: 'true',
    });
    await volatile.remove();
    expect([refused.code, listFailed(refused)]).to.deep.equal([8, ['redis']]);
    expect([allowed.code, find(allowed, 'redis').status]).to.deep.equal([0, 'warn']);
  });

  it('a Postgres and a Redis that are away hide nothing else, and no password is told', async () => {
    const run = await runDoctor({
      DATABASE_URL: `postgres://gw:${PASSWORD}@127.0.0.1:1/gw`,
      REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:1`,
    });
    expect([run.code, listFailed(run)]).to.deep.equal([8, [...OF_POSTGRES, ...OF_REDIS]]);
    expect(find(run, 'postgres').seen).to.equal('Postgres does not answer at DATABASE_URL');
    expect(find(run, 'triggers').seen).to.match(/^not looked at: Postgres does not answer/);
    expect(find(run, 'redis').seen).to.equal('Redis does not answer at REDIS_URL');
    expect(`${run.stdout}${run.stderr}`).not.to.include(PASSWORD);
  });

  it('a Postgres that takes connections and is silent is given up in time', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const run = await runDoctor({ DATABASE_URL: `postgres://gw@127.0.0.1:${port}/gw` });
    server.close();
    expect([run.code, listFailed(run)]).to.deep.equal([8, OF_POSTGRES]);
  });

  it('a pooler on which a NOTIFY gets lost is found, with what to do about it', async () => {
    const pooler = await startSharingPooler(runtimeUrl);
    const run = await runDoctor({ DATABASE_URL: pooler.url });
    await pooler.close();
    expect([run.code, listFailed(run)]).to.deep.equal([8, ['notify']]);
    expect(find(run, 'notify').seen).to.match(/^a NOTIFY was not heard within 2 s: /);
    expect(find(run, 'notify').hint).to.include('past a pooler that shares sessions');
  });

  it('a trigger that was disabled or dropped is named, with what brings it back', async () => {
    const own = await makeDatabase();
    const env = { DATABASE_URL: own.url };
    const client = await connect(own.url);
    await client.query('alter table gateway.tenants disable trigger tenants_note_change');
    const disabled = await runDoctor(env);
    await client.query('drop trigger revocations_notify on gateway.revocations');
    const dropped = await runDoctor(env);
    await client.end();
    await own.drop();
    expect([disabled.code, listFailed(disabled)]).to.deep.equal([8, ['triggers']]);
    expect(find(disabled, 'triggers').seen).to.equal(
      'disabled: tenants_note_change on gateway.tenants',
    );
    expect(find(disabled, 'triggers').hint).to.include(
      'alter table gateway.tenants enable trigger tenants_note_change',
    );
    expect(find(dropped, 'triggers').seen).to.equal(
      'gone: revocations_notify on gateway.revocations',
    );
  });

  it('a session that fires no trigger at all is found, whatever the triggers say', async () => {
    const own = await makeDatabase();
    const client = await connect(own.url);
    const { pathname } = new URL(own.url);
    await client.query(
      `alter database ${pathname.slice(1)} set session_replication_role = replica`,
    );
    const run = await runDoctor({ DATABASE_URL: own.url });
    await client.end();
    await own.drop();
    expect(listFailed(run)).to.deep.equal(['triggers']);
    expect(find(run, 'triggers').seen).to.include('session_replication_role is replica');
  });

  it('rights that are missing are each named', async () => {
    const own = await makeDatabase();
    const client = await connect(own.url);
    await client.query('create role doctor_almost login in role gateway_runtime');
    await client.query('revoke update on gateway.audit_log from gateway_runtime');
    await client.query('revoke update (hash) on gateway.api_keys from gateway_runtime');
    await client.query('revoke execute on function gateway.prune_changes() from gateway_runtime');
    const almost = await runDoctor({
      DATABASE_URL: own.url.replace(/user=\w+/, 'user=doctor_almost'),
    });
    await client.end();
    await own.drop();
    expect(listFailed(almost)).to.deep.equal(['rights']);
    expect(find(almost, 'rights').seen).to.equal(
      'doctor_almost lacks update on gateway.api_keys.hash, update on gateway.audit_log, ' +
        'execute on gateway.prune_changes()',
    );
  });

  it('a user who may not even look is told so, and the server is seen all the same', async () => {
    const url = database.url.replace(/user=\w+/, 'user=doctor_nobody');
    const run = await runDoctor({ DATABASE_URL: url });
    expect(run.code).to.equal(8);
    expect(listFailed(run)).to.include.members(['schema', 'rights']);
    expect(listFailed(run)).not.to.include.members(['notify', 'clock-postgres', 'redis']);
    expect(find(run, 'rights').hint).to.equal('grant gateway_runtime to doctor_nobody');
  });

  it('a database without a schema is told with the command that makes it', async () => {
    const empty = await makeEmptyDatabase();
    const run = await runDoctor({ DATABASE_URL: empty.url });
    await empty.drop();
    expect(listFailed(run)).to.deep.equal(['schema', 'rights', 'triggers']);
    expect(find(run, 'schema').hint).to.equal('nzgw migrate');
  });

  it('of several upstreams each is looked at, and one that is away is a fault', async () => {
    const run = await runDoctor({ OLLAMA_URL: `${ollama.url},${NOBODY}` });
    expect([run.code, listFailed(run)]).to.deep.equal([8, ['upstream']]);
    const away = checksOf(run).find(({ status }) => status === 'fail');
    expect(away).to.include({ about: NOBODY, seen: 'upstream_unreachable' });
  });

  it('settings that are missing are all named, and the rest is looked at', async () => {
    const run = await runNzgw(['doctor', '--json'], { env: { NZGW_ARGON2_PASSES: 'many' } });
    expect(run.code).to.equal(8);
    expect(find(run, 'settings').seen)
      .to.include('DATABASE_URL')
      .and.include('REDIS_URL')
      .and.include('OLLAMA_URL')
      .and.include('NZGW_KEY_PEPPER')
      .and.include('NZGW_ARGON2_PASSES');
    expect(find(run, 'redis').seen).to.equal('REDIS_URL: not right');
    expect(find(run, 'argon2').seen).to.equal('NZGW_ARGON2_PASSES: not right');
    expect(find(run, 'shared-memory').status).not.to.equal('fail');
    expect(checksOf(run).map(({ name }) => name)).to.deep.equal(ALL);
  });

  it('a setting that is called like none is a warning, with a guess', async () => {
    const run = await runDoctor({ NZGW_PROT: '8081' });
    expect(run.code).to.equal(0);
    expect(find(run, 'settings')).to.include({ status: 'warn' });
    expect(find(run, 'settings').seen).to.include('NZGW_PORT');
  });

  it('a place for shared memory that cannot be written is a fault', async () => {
    const run = await runDoctor({ RUNTIME_DIRECTORY: '/proc/no-such-place' });
    expect([run.code, listFailed(run)]).to.deep.equal([8, ['shared-memory']]);
  });

  it('a process that may open few files is told how many it needs', async () => {
    const nzgw = fileURLToPath(new URL('bin/nzgw.ts', ROOT));
    const line = 'ulimit -n "$0" && "$1" "$2" doctor --json; exit 0';
    const seen: string[] = [];
    for (const files of ['800', '4096']) {
      const { stdout } = await promisify(execFile)(
        'sh',
        ['-c', line, files, process.execPath, nzgw],
        { env: { PATH: process.env['PATH'] } },
      );
      const { status, seen: text } = find({ code: 8, stdout, stderr: '' }, 'open-files');
      seen.push(`${status}: ${text}`);
    }
    expect(seen).to.deep.equal([
      'fail: 800 open files a process; at least 1024 are needed',
      'warn: 4,096 open files a process: two a request are needed',
    ]);
  });

  it('an Ollama that listens for everybody is warned of, loudly: on stderr too', async () => {
    const wide = await startFakeOllama({ host: '0.0.0.0' });
    const run = await runDoctor({ OLLAMA_URL: wide.url }, ['--json', '--quiet']);
    await wide.close();
    const outer = (listOuterAddresses() ?? []).filter((address) => !address.includes(':'));
    const check = find(run, 'upstream-port');
    expect([run.code, check.status]).to.deep.equal([0, outer.length === 0 ? 'pass' : 'warn']);
    for (const address of outer) {
      expect(check.seen).to.include(`${address}:${new URL(wide.url).port}`);
      expect(run.stderr).to.include('OTHER MACHINES CAN REACH OLLAMA').and.include(address);
    }
  });
});
