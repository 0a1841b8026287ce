import { expect } from 'chai';
import { openShared } from '../../lib/shared/shared-reader.ts';
import type { SharedReader } from '../../lib/shared/shared-reader.ts';
import type { KeyRow } from '../../lib/shared/records.ts';
import { createShared } from '../../lib/shared/shared-writer.ts';
import type { SharedWriter } from '../../lib/shared/shared-writer.ts';
import { makeClient } from '../../lib/store/postgres.ts';
import type { PostgresClient } from '../../lib/store/postgres.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { startTrustLoop } from '../../lib/revocation/trust-loop.ts';
import type { RevokedKey } from '../../lib/revocation/revoked-marks.ts';
import type { TrustLoop, TrustLoopParts } from '../../lib/revocation/trust-loop.ts';
import { seedKey, seedTenant } from '../support/seed-key.ts';
import type { SeededKey } from '../support/seed-key.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';
import { connect, makeDatabase } from '../support/test-postgres.ts';
import type { TestDatabase } from '../support/test-postgres.ts';
import { until } from '../support/until.ts';

const POLL_MS = 100;
const LEASE_MS = 750;
const NAME = 'trust-loop-under-test';

describe('revocation/trust-loop', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let directory: TemporaryDirectory;
  let sql: PostgresClient;
  let writer: SharedWriter;
  let reader: SharedReader;
  let loop: TrustLoop | undefined;
  let seeded: SeededKey;
  let marked: RevokedKey[];
  let troubles: number;

  beforeEach(async () => {
    database = await makeDatabase();
    directory = await makeTemporaryDirectory('trust');
    sql = await connect(database.url);
    writer = createShared(directory.path);
    reader = openShared(writer.path);
    marked = [];
    troubles = 0;
    seeded = await seedKey(sql, await seedTenant(sql, 'acme'));
  });

  afterEach(async () => {
    await loop?.stop();
    await sql.end();
    await reader.close();
    await writer.close();
    await directory.remove();
    await database.drop();
  });

  async function start(changed: Partial<TrustLoopParts> = {}): Promise<void> {
    loop = startTrustLoop({
      makeClient: () => makeClient({ url: database.url, applicationName: NAME, timeoutMs: 5_000 }),
      shared: writer,
      clock: systemClock,
      runId: 'run-1',
      pollMs: POLL_MS,
      leaseMs: LEASE_MS,
      markRevoked: (key) => {
        marked.push(key);
        return Promise.resolve();
      },
      onTrouble: () => (troubles += 1),
      onFatal: () => undefined,
      announce: () => undefined,
      onTrusted: () => undefined,
      ...changed,
    });
    await loop.firstSnapshot;
  }

  function readKey(publicId = seeded.publicId): KeyRow | undefined {
    reader.refresh();
    return reader.readKey(publicId);
  }

  function isTrusted(): boolean {
    reader.refresh();
    return (reader.readTrust()?.deadlineMs ?? 0) > systemClock.monotonicMs();
  }

  /** The change is in force, under a deadline that stands, within a second of the commit. */
  async function seen(what: string, condition: () => unknown): Promise<void> {
    await until(() => Boolean(condition()) && isTrusted(), { withinMs: 1_000, what });
  }

  it('has the whole directory in shared memory before it says so', async () => {
    await sql.query(
      `insert into gateway.key_limits (key_id, requests_per_minute, budget_tokens, budget_period)
       values ($1, 60, 1000000000000000, 'month')`,
      [seeded.keyId],
    );
    await sql.query(
      `update gateway.api_keys set expires_at = '2100-01-01T00:00:00.5Z', allowed_models = '{a,b}'`,
    );
    await sql.query(`update gateway.tenants set max_num_ctx = 8192`);
    await start();
    const key = readKey();
    expect(key).to.include({
      keyId: seeded.keyId,
      tenantId: seeded.tenantId,
      status: 'active',
      version: 3,
      expiresAtMs: Date.UTC(2100, 0, 1) + 500,
      allowAllModels: null,
      promptLog: false,
    });
    expect(key?.hash).to.match(/^\$argon2id\$v=19\$/);
    expect(key?.secretTag).to.match(/^[0-9a-f]{32}$/);
    expect(key?.allowedModels).to.deep.equal(['a', 'b']);
    expect(key?.limits).to.deep.equal({
      requestsPerMinute: 60,
      tokensPerMinute: null,
      concurrency: null,
      budgetTokens: 1e15,
      budgetPeriod: 'month',
      maxOutputTokens: null,
    });
    expect(reader.readTenant(seeded.tenantId)).to.deep.include({
      slug: 'acme',
      status: 'active',
      version: 2,
      allowAllModels: true,
      allowedModels: [],
      allowRuntimeOptions: false,
      maxNumCtx: 8192,
    });
    expect(isTrusted()).to.equal(true);
    expect(reader.readTrust()?.runId).to.equal('run-1');
  });

  it('reads expiries at the ends of time, which a console may write, without breaking', async () => {
    const never = await seedKey(sql, seeded.tenantId);
    const always = await seedKey(sql, seeded.tenantId);
    const set = 'update gateway.api_keys set expires_at = $2 where id = $1';
    await sql.query(set, [never.keyId, 'infinity']);
    await sql.query(set, [always.keyId, '-infinity']);
    await start();
    expect(readKey(never.publicId)?.expiresAtMs).to.equal(null);
    expect(readKey(always.publicId)?.expiresAtMs).to.equal(0);
  });

  it('puts a revocation by plain SQL in force and marks the key before the deadline moves', async () => {
    await start();
    const before = readKey()?.version ?? 0;
    await sql.query('insert into gateway.revocations (key_id, reason) values ($1, $2)', [
      seeded.keyId,
      'lost',
    ]);
    await seen('the key to be revoked', () => readKey()?.status === 'revoked');
    expect(readKey()?.version).to.be.above(before);
    await until(() => marked.length > 0, { withinMs: 1_000, what: 'the mark' });
    expect(marked[0]).to.deep.equal({ keyId: seeded.keyId, tenantId: seeded.tenantId });
  });

  it('revokes every key of a tenant at once', async () => {
    const other = await seedKey(sql, seeded.tenantId);
    await start();
    await sql.query('insert into gateway.revocations (tenant_id) values ($1)', [seeded.tenantId]);
    await seen(
      'both keys to be revoked',
      () => readKey()?.status === 'revoked' && readKey(other.publicId)?.status === 'revoked',
    );
  });

  it('raises versions when limits, models, status or expiry change', async () => {
    await start();
    const changes: [string, () => unknown][] = [
      [
        `insert into gateway.key_limits (key_id, concurrency) values ('${seeded.keyId}', 3)`,
        () => readKey()?.limits.concurrency === 3,
      ],
      [`update gateway.key_limits set concurrency = 4`, () => readKey()?.limits.concurrency === 4],
      [`delete from gateway.key_limits`, () => readKey()?.limits.concurrency === null],
      [
        `update gateway.api_keys set allowed_models = '{x}'`,
        () => readKey()?.allowedModels?.[0] === 'x',
      ],
      [`update gateway.api_keys set expires_at = now()`, () => readKey()?.expiresAtMs !== null],
    ];
    let version = readKey()?.version ?? 0;
    for (const [statement, isThere] of changes) {
      await sql.query(statement);
      await seen(statement, isThere);
      expect(readKey()?.version).to.be.above(version);
      version = readKey()?.version ?? 0;
    }
  });

  it('raises the version of a tenant whose limits or status change', async () => {
    await start();
    const tenant = () => {
      reader.refresh();
      return reader.readTenant(seeded.tenantId);
    };
    await sql.query(
      `insert into gateway.tenant_limits (tenant_id, tokens_per_minute) values ($1, 5)`,
      [seeded.tenantId],
    );
    await seen('the limit', () => tenant()?.limits.tokensPerMinute === 5);
    const version = tenant()?.version ?? 0;
    await sql.query(`update gateway.tenants set status = 'suspended'`);
    await seen('the status', () => tenant()?.status === 'suspended');
    expect(tenant()?.version).to.be.above(version);
  });

  it('shows a new key and raises the generation, so that unknown ids are asked for anew', async () => {
    await start();
    reader.refresh();
    const generation = reader.readGeneration();
    const fresh = await seedKey(sql, seeded.tenantId);
    await seen('the new key', () => readKey(fresh.publicId));
    expect(reader.readGeneration()).to.be.above(generation);
  });

  it('misses no change of a transaction that began first and committed last', async () => {
    const slow = await connect(database.url);
    const other = await seedKey(sql, seeded.tenantId);
    await slow.query('begin');
    await slow.query('insert into gateway.revocations (key_id) values ($1)', [seeded.keyId]);
    await start();
    for (let round = 1; round <= 5; round += 1) {
      await sql.query('update gateway.api_keys set name = $1 where id = $2', [
        `n${round}`,
        other.keyId,
      ]);
      await seen('a later change', () => (readKey(other.publicId)?.version ?? 0) > round);
    }
    expect(readKey()?.status).to.equal('active');
    await slow.query('commit');
    await seen('the late revocation', () => readKey()?.status === 'revoked');
    await slow.end();
  });

  it('applies each change once, also while an old transaction holds the watermark back', async () => {
    const slow = await connect(database.url);
    await slow.query('begin');
    await slow.query('select pg_current_xact_id()');
    await start();
    await sql.query(`update gateway.api_keys set name = 'once'`);
    await seen('the change', () => readKey()?.version === 2);
    const generation = reader.readGeneration();
    const deadline = reader.readTrust()?.deadlineMs ?? 0;
    await until(
      () => isTrusted() && (reader.readTrust()?.deadlineMs ?? 0) > deadline + 3 * POLL_MS,
      {
        withinMs: 5_000,
        what: 'three more polls',
      },
    );
    expect(reader.readGeneration()).to.equal(generation);
    await slow.query('rollback');
    await slow.end();
  });

  it('is not led astray by lines of the log that a restored dump brought from a busier server', async () => {
    await sql.query(
      `insert into gateway.revocations (kind, key_id, xid) values ('change', $1, '9000000000')`,
      [seeded.keyId],
    );
    await start();
    const generation = reader.readGeneration();
    await sql.query(`update gateway.api_keys set name = 'after'`);
    await seen('the change', () => readKey()?.version === 2);
    expect(reader.readGeneration()).to.equal(generation + 1);
  });

  it('reads the whole directory when more changed than one poll takes', async () => {
    await start();
    await sql.query(
      `insert into gateway.api_keys (tenant_id, public_id, hash)
       select tenant_id, lpad(n::text, 12, '0'), hash from gateway.api_keys, generate_series(1, 6000) n`,
    );
    await until(() => readKey('000000006000') && isTrusted(), {
      withinMs: 5_000,
      what: 'all keys',
    });
    expect(readKey('000000000001')?.tenantId).to.equal(seeded.tenantId);
  });

  it('goes on when the mark fails, and tries again until it succeeds', async () => {
    let calls = 0;
    await start({
      markRevoked: (key) => {
        calls += 1;
        if (calls < 3) return Promise.reject(new Error('no'));
        marked.push(key);
        return Promise.resolve();
      },
    });
    await sql.query('insert into gateway.revocations (key_id) values ($1)', [seeded.keyId]);
    await seen('the revocation', () => readKey()?.status === 'revoked');
    await until(() => marked.length > 0, { withinMs: 2_000, what: 'the mark' });
    const deadline = reader.readTrust()?.deadlineMs ?? 0;
    await until(
      () => isTrusted() && (reader.readTrust()?.deadlineMs ?? 0) > deadline + 3 * POLL_MS,
      { withinMs: 2_000, what: 'a few more polls' },
    );
    expect(calls).to.equal(3);
  });

  it('goes on when the mark hangs', async () => {
    await start({ markRevoked: () => new Promise(() => undefined) });
    const other = await seedKey(sql, seeded.tenantId);
    for (const { keyId, publicId } of [seeded, other]) {
      await sql.query('insert into gateway.revocations (key_id) values ($1)', [keyId]);
      await seen('the revocation', () => readKey(publicId)?.status === 'revoked');
    }
  });

  it('comes back whole after its session was ended, with what changed meanwhile', async () => {
    await start();
    for (let round = 0; round < 3; round += 1) {
      const version = readKey()?.version ?? 0;
      await sql.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1',
        [NAME],
      );
      await sql.query(`update gateway.api_keys set name = 'round ${round}'`);
      await seen('the change', () => (readKey()?.version ?? 0) > version);
    }
    expect(troubles).to.be.at.least(3);
  });

  it('lets the deadline pass while Postgres cannot be reached, and trusts again after', async () => {
    let reachable = true;
    await start({
      makeClient: () =>
        makeClient({
          url: reachable ? database.url : 'postgres://127.0.0.1:1/none',
          applicationName: NAME,
          timeoutMs: 1_000,
        }),
    });
    reachable = false;
    await sql.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1',
      [NAME],
    );
    await until(() => !isTrusted(), { withinMs: 1_000, what: 'trust to end' });
    const lapsed = reader.readTrust()?.deadlineMs;
    await sql.query(`insert into gateway.revocations (key_id) values ('${seeded.keyId}')`);
    await until(() => troubles >= 4, { withinMs: 5_000, what: 'a few more tries' });
    reader.refresh();
    expect(reader.readTrust()?.deadlineMs).to.equal(lapsed);
    expect(readKey()?.status).to.equal('active');
    expect(loop?.state().deadlineMs).to.equal(lapsed);

    reachable = true;
    await until(isTrusted, { withinMs: 3_000, what: 'trust to be back' });
    expect(readKey()?.status).to.equal('revoked');
    expect(marked.map(({ keyId }) => keyId)).to.deep.equal([seeded.keyId]);
  });

  it('breaks a connection on which no answer comes, and makes a new one', async () => {
    await start();
    const locker = await connect(database.url);
    await locker.query('begin');
    await locker.query('lock table gateway.revocations in access exclusive mode');
    await until(() => troubles > 0, { withinMs: 5_000, what: 'the cut' });
    expect(isTrusted()).to.equal(false);
    await locker.query('rollback');
    await locker.end();
    await until(isTrusted, { withinMs: 3_000, what: 'trust to be back' });
  });

  it('ends for good and says so when shared memory cannot be written', async () => {
    const fatal: unknown[] = [];
    let broken = false;
    const shared = {
      ...writer,
      putTrust: (trust: Parameters<SharedWriter['putTrust']>[0]) => {
        if (broken) throw new Error('full');
        writer.putTrust(trust);
      },
    };
    await start({ shared, onFatal: (error) => fatal.push(error) });
    broken = true;
    await until(() => fatal.length > 0, { withinMs: 1_000, what: 'the end' });
    expect(fatal[0]).to.have.property('message', 'full');
    await until(() => !isTrusted(), { withinMs: 1_000, what: 'trust to end' });
    expect(fatal).to.have.length(1);
  });

  it('never trusts, and can be stopped, when Postgres was never there', async () => {
    void start({
      makeClient: () =>
        makeClient({ url: 'postgres://127.0.0.1:1/none', applicationName: NAME, timeoutMs: 500 }),
    });
    await until(() => troubles >= 2, { withinMs: 3_000, what: 'two tries' });
    expect(reader.readTrust()).to.equal(undefined);
    expect(loop?.state().deadlineMs).to.equal(-Infinity);
  });
});
