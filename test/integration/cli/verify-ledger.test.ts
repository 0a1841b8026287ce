import { expect } from 'chai';
import { periodsAt } from '../../../lib/ledger/counter.ts';
import { KEYS } from '../../../lib/ledger/keys.ts';
import { flushAll, setConfig } from '../../support/every-node.ts';
import { readDocument, readFailure, runNzgw } from '../../support/run-nzgw.ts';
import type { SeededKey } from '../../support/seed-key.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { startOwnRedis } from '../../support/test-redis.ts';
import { MODEL, openLedgerWorld } from './open-ledger-world.ts';
import type { LedgerWorld } from './open-ledger-world.ts';

const NOTHING = {
  tenant: null,
  key: null,
  model: null,
  period: null,
  field: null,
  expected: null,
  found: null,
  id: null,
};

describe('cli: verify-ledger', function () {
  this.timeout(60_000);
  let world: LedgerWorld;
  let key: SeededKey;
  const today = new Date().toISOString().slice(0, 10);
  const { total, day } = periodsAt(Date.now());

  before(async () => {
    world = await openLedgerWorld();
    key = await world.makeKey('acme');
  });
  beforeEach(() => world.reset());
  after(() => world.close());

  /** One served request of 30 tokens, everywhere. */
  async function serveOne(): Promise<void> {
    const row = { ...key, promptTokens: 10, completionTokens: 20 };
    await world.addAudit(row);
    await world.addAudit({ ...key, outcome: 'refused' });
    await world.addLedger(row);
    await world.fill({ scope: `t:${key.tenantId}`, period: total });
    await world.fill({ scope: `k:${key.keyId}`, period: day });
  }

  async function verify(): Promise<{ code: number | null; document: Record<string, unknown> }> {
    const run = await world.run('verify-ledger', '--json');
    expect(run.stderr).to.equal('');
    return { code: run.code, document: readDocument(run) };
  }

  async function findOnly(): Promise<Record<string, unknown>> {
    const { code, document } = await verify();
    expect([code, document['ok']]).to.deep.equal([8, false]);
    expect(document['problems']).to.have.lengthOf(1);
    return (document['problems'] as [Record<string, unknown>])[0];
  }

  it('finds nothing wrong with nothing, in the promised shape: exit 0', async () => {
    await flushAll(world.redis);
    const { code, document } = await verify();
    expect(code).to.equal(0);
    expect(document).to.deep.equal({
      ok: true,
      audited: 0,
      ledger: 0,
      redis: 0,
      open_holds: 0,
      problems: [],
      problem_count: 0,
      counters: 0,
      redis_expected: 0,
      moving: [],
      moving_count: 0,
      unverifiable_days: [],
    });
  });

  it('adds up what was served; refusals cost nothing', async () => {
    await serveOne();
    const { code, document } = await verify();
    expect(code, JSON.stringify(document)).to.equal(0);
    expect(document).to.include({ ok: true, audited: 30, ledger: 30, counters: 2 });
    expect(document).to.include({ redis: 60, redis_expected: 60 });
    const table = await world.run('verify-ledger');
    expect(table.stdout).to.match(/^verdict +all adds up\naudited tokens +30\n/);
  });

  it('counts open holds', async () => {
    await world.fill({ scope: `k:${key.keyId}`, period: total });
    await world.admit(key);
    const { code, document } = await verify();
    expect(code, JSON.stringify(document)).to.equal(0);
    expect(document).to.include({ open_holds: 1, counters: 1, redis: 0 });
  });

  it('names an audit row that the ledger lacks, by tenant, key, model, day and sum', async () => {
    await serveOne();
    await world.addAudit({ ...key, outcome: 'lost', promptTokens: 5 });
    const { code, document } = await verify();
    expect(code).to.equal(8);
    const fields = ['requests', 'prompt_tokens', 'charged_tokens'];
    const problems = document['problems'] as Record<string, unknown>[];
    expect(problems.map(({ field }) => field)).to.deep.equal(fields);
    const { message, ...first } = problems[0] ?? {};
    expect(first).to.deep.equal({
      ...NOTHING,
      kind: 'audit_ledger',
      tenant: 'acme',
      key: `nz_${key.publicId}`,
      model: MODEL,
      period: today,
      field: 'requests',
      expected: 2,
      found: 1,
    });
    expect(message).to.include('the audit rows have 2 requests, the ledger has 1');
  });

  it('names what the ledger has without audit rows', async () => {
    await world.addLedger({ ...key, model: 'gone', completionTokens: 4 });
    const { document } = await verify();
    const problems = document['problems'] as Record<string, unknown>[];
    expect(problems.map(({ field, expected, found }) => [field, expected, found])).to.deep.equal([
      ['requests', 0, 1],
      ['completion_tokens', 0, 4],
      ['charged_tokens', 0, 4],
    ]);
  });

  it('does not judge days whose rows are not all kept, and names them', async () => {
    await world.addLedger({ ...key, at: '2026-01-05', promptTokens: 9 });
    await world.addLedger({ ...key, promptTokens: 9 });
    await world.sql.query('update gateway.token_ledger set sealed = true where day = $1', [today]);
    const { code, document } = await verify();
    expect(code).to.equal(0);
    expect(document).to.include({ audited: 0, ledger: 0 });
    expect(document['unverifiable_days']).to.deep.equal(['2026-01-05', today]);
    const table = await world.run('verify-ledger');
    expect(table.stdout).to.match(/not verifiable +2 days, 2026-01-05 to 20/);
  });

  it('names a counter that is not what the ledger has', async () => {
    await serveOne();
    await world.redis.hincrby(KEYS.budget(0, `t:${key.tenantId}`), 't.spent', -7);
    const { message, ...problem } = await findOnly();
    expect(problem).to.deep.equal({
      ...NOTHING,
      kind: 'ledger_redis',
      tenant: 'acme',
      period: 'total',
      field: 'spent',
      expected: 30,
      found: 23,
    });
    expect(message).to.equal('acme, total: the ledger has 30 tokens, Redis has 23 spent');
  });

  it('names a counter whose held tokens are nobody’s', async () => {
    await serveOne();
    await world.redis.hincrby(KEYS.budget(0, `k:${key.keyId}`), `${day}.held`, 40);
    const problem = await findOnly();
    expect(problem).to.include({ kind: 'held', key: `nz_${key.publicId}`, period: today });
    expect(problem).to.include({ field: 'held', expected: 0, found: 40 });
  });

  it('names a live hold without a lease, and a lease without a live hold', async () => {
    const reply = await world.admit(key);
    if (reply.kind !== 'ok') throw new Error(reply.kind);
    await world.redis.zrem(KEYS.lapse(0), reply.hold.id);
    expect(await findOnly()).to.include({ kind: 'hold_without_lease', id: reply.hold.id });

    await world.redis.zadd(KEYS.lapse(0), 1, reply.hold.id);
    await world.redis.del(KEYS.hold(0, reply.hold.id));
    expect(await findOnly()).to.include({ kind: 'lease_without_hold', id: reply.hold.id });
  });

  it('names a slot that a key or tenant has lost to nobody', async () => {
    await world.redis.zadd(KEYS.leases(0, `k:${key.keyId}`), Date.now() + 60_000, 'nobody');
    expect(await findOnly()).to.include({ kind: 'lease_without_hold', id: 'nobody' });
  });

  it('takes events that Postgres refused for a problem', async () => {
    await world.sql.query(
      `insert into gateway_meta.rejected_events (shard, event, sqlstate) values (0, '{}', '23514')`,
    );
    expect(await findOnly()).to.include({ kind: 'rejected_events', expected: 0, found: 1 });
  });

  it('proves nothing of a counter whose entry nobody brings to Postgres, and says so', async () => {
    await world.fill({ scope: `k:${key.keyId}`, period: total });
    const reply = await world.admit(key);
    if (reply.kind !== 'ok') throw new Error(reply.kind);
    await world.settle(key, reply.hold.id, reply.nowMs, 0);
    const { code, document } = await verify();
    expect(code, JSON.stringify(document)).to.equal(8);
    expect(document).to.include({ ok: false, counters: 0, moving_count: 1, problem_count: 1 });
    expect((document['problems'] as object[])[0]).to.include({ kind: 'undrained', found: 1 });
    expect(document['moving']).to.deep.equal([
      { tenant: null, key: `nz_${key.publicId}`, period: 'total' },
    ]);
  });

  it('believes nothing of a Redis that started anew until a gateway counts in it', async () => {
    await world.redis.hset(KEYS.life(0), 'run', 'another');
    expect(await findOnly()).to.include({ kind: 'stale_life' });
  });

  it('of a Redis that does not answer is exit 6, of one with a password exit 4', async () => {
    const away = { ...world.env, REDIS_URL: 'redis://:word-of-secret@127.0.0.1:1' };
    const own = await startOwnRedis({ port: 0, appendOnly: false });
    const client = await connectRedis(own.url);
    await setConfig(client, 'requirepass', 'word-of-secret');
    client.disconnect();
    const [first, second] = await Promise.all([
      runNzgw(['verify-ledger', '--json'], { env: away }),
      runNzgw(['holds', '--json'], { env: { ...world.env, REDIS_URL: own.url } }),
    ]);
    await own.remove();
    expect([first.code, first.stdout]).to.deep.equal([6, '']);
    expect(readFailure(first)['code']).to.equal('redis_unreachable');
    expect([second.code, second.stdout]).to.deep.equal([4, '']);
    expect(readFailure(second)['code']).to.equal('redis_refused');
    expect(first.stderr + second.stderr).not.to.include('word-of-secret');
  });
});
