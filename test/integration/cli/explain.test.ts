import { expect } from 'chai';
import { toCopyText } from '../../../lib/discovery/snapshot-copy.ts';
import { periodsAt } from '../../../lib/ledger/counter.ts';
import { KEYS } from '../../../lib/ledger/keys.ts';
import { openModelsCopy } from '../../../lib/ledger/models-copy.ts';
import { openShardLedger } from '../../../lib/ledger/shard-ledger.ts';
import { readDocument, readFailure, runNzgw } from '../../support/run-nzgw.ts';
import type { SeededKey } from '../../support/seed-key.ts';
import { MODEL, OLLAMA_URL, openLedgerWorld } from './open-ledger-world.ts';
import type { LedgerWorld } from './open-ledger-world.ts';

type Document = Record<string, unknown>;

describe('cli: explain', function () {
  this.timeout(60_000);
  let world: LedgerWorld;
  let key: SeededKey;
  let reference = '';

  before(async () => {
    world = await openLedgerWorld();
    key = await world.makeKey('acme');
    reference = `nz_${key.publicId}`;
  });
  beforeEach(async () => {
    await world.reset();
    await writeModels(0);
    await world.sql.query('truncate gateway.key_limits, gateway.tenant_limits');
    await world.sql.query(`update gateway.tenants set status = 'active', allow_all_models = true`);
    await world.sql.query('update gateway.api_keys set expires_at = null');
  });
  after(() => world.close());

  async function writeModels(sinceMs: number): Promise<void> {
    const listed = { name: 'llama3:8b', model: 'llama3:8b', digest: 'd'.repeat(64), size: 1 };
    const entry = { listed, cloud: false, ownTextBytes: 100, embedding: false, shown: {} };
    const snapshot = JSON.stringify({ version: '0.40.0', models: [entry], running: [] });
    await openModelsCopy(world.redis).write(OLLAMA_URL, toCopyText(snapshot, sinceMs), 300_000);
  }

  async function limitKey(columns: string, ...values: unknown[]): Promise<void> {
    const places = values.map((_, n) => `$${n + 2}`).join(', ');
    await world.sql.query(
      `insert into gateway.key_limits (key_id, ${columns}) values ($1, ${places})`,
      [key.keyId, ...values],
    );
  }

  async function explain(model = 'llama3:8b'): Promise<{ code: number | null; told: Document }> {
    const run = await world.run('explain', reference, model, '--json');
    expect(run.stderr).to.equal('');
    return { code: run.code, told: readDocument(run) };
  }

  async function expectRefusal(code: string, model?: string): Promise<Document> {
    const { code: exit, told } = await explain(model);
    expect([exit, told['ok'], told['code']]).to.deep.equal([8, false, code]);
    return told;
  }

  function firstOf(told: Document): Document {
    return (told['reasons'] as [Document])[0];
  }

  it('says yes to what would pass, in the promised shape: exit 0', async () => {
    const { code, told } = await explain('LLAMA3:8b');
    expect(code, JSON.stringify(told)).to.equal(0);
    const { at, ...rest } = told;
    expect(at).to.match(/^\d{4}-\d\d-\d\dT/);
    expect(rest).to.deep.equal({
      ok: true,
      key: reference,
      tenant: 'acme',
      model: MODEL,
      code: null,
      until: null,
      reasons: [],
      limits: [],
      holds: [],
    });
    const text = await world.run('explain', reference, 'llama3:8b');
    expect(text.stdout).to.equal(`A request of ${reference} (acme) for ${MODEL} would pass.\n`);
  });

  it('tells every limit that is set, and what is left', async () => {
    const { total } = periodsAt(0);
    await limitKey(
      'requests_per_minute, concurrency, budget_tokens, budget_period',
      5,
      2,
      5_000,
      'total',
    );
    await world.fill({ scope: `k:${key.keyId}`, period: total });
    await world.admit(key, { key: { requestsPerMinute: 5, concurrency: 2 } });
    const { code, told } = await explain();
    expect(code, JSON.stringify(told)).to.equal(0);
    const limit = { level: 'key', period: null, held: null, resets_at: null };
    expect(told['limits']).to.deep.equal([
      { ...limit, limit: 'requests', period: 'minute', max: 5, used: 1, left: 4 },
      { ...limit, limit: 'concurrency', max: 2, used: 1, left: 1 },
      { ...limit, limit: 'budget', period: 'total', max: 5_000, used: 0, held: 700, left: 4_300 },
    ]);
  });

  it('says when a limit of a minute lets it pass', async () => {
    await limitKey('requests_per_minute', 1);
    await world.admit(key, { key: { requestsPerMinute: 1 } });
    const told = await expectRefusal('rate_limit_exceeded');
    const waitMs = Date.parse(String(told['until'])) - Date.parse(String(told['at']));
    expect(waitMs).to.be.within(50_000, 61_000);
    const { until, message, ...reason } = firstOf(told);
    expect(reason).to.deep.equal({ code: 'rate_limit_exceeded', limit: 'requests', level: 'key' });
    expect([until, message]).to.deep.equal([
      told['until'],
      'requests per minute of the key: 1 of 1 used',
    ]);
  });

  it('puts the longest wait first where nothing but time is in the way', async () => {
    await limitKey('requests_per_minute, tokens_per_minute', 1, 110);
    await world.redis.hset(KEYS.requests(0, `k:${key.keyId}`), toWindow(30, 1));
    await world.redis.hset(KEYS.tokens(0, `k:${key.keyId}`), toWindow(10, 110));
    const told = await expectRefusal('rate_limit_exceeded');
    const reasons = told['reasons'] as Document[];
    expect(reasons.map(({ limit }) => limit)).to.deep.equal(['tokens', 'requests']);
    expect(told['until']).to.equal(reasons[0]?.['until']);
  });

  it('lists the requests that take the slots', async () => {
    await limitKey('concurrency', 1);
    const reply = await world.admit(key);
    if (reply.kind !== 'ok') throw new Error(reply.kind);
    const told = await expectRefusal('rate_limit_exceeded');
    expect(firstOf(told)).to.include({ limit: 'concurrency', level: 'key', until: null });
    expect((told['holds'] as Document[]).map(({ id }) => id)).to.deep.equal([reply.hold.id]);
    const text = await world.run('explain', reference, 'llama3:8b');
    expect(text.stdout).to.include('  - concurrency of the key: 1 of 1 slots are taken\n');
    expect(text.stdout).to.include('Held by\nTENANT').and.include(reply.hold.id);
  });

  it('tells a budget that is held from one that is spent, and when the latter begins anew', async () => {
    const { day } = periodsAt(Date.now());
    await limitKey('budget_tokens, budget_period', 1_000, 'day');
    await world.fill({ scope: `k:${key.keyId}`, period: day });
    const reply = await world.admit(key);
    if (reply.kind !== 'ok') throw new Error(reply.kind);
    const held = await expectRefusal('budget_held');
    expect(held['holds']).to.have.lengthOf(1);
    expect(firstOf(held)).to.include({ limit: 'budget', until: null });

    await world.settle(key, reply.hold.id, reply.nowMs, 700);
    const spent = await expectRefusal('insufficient_quota');
    expect(spent['until']).to.match(/T00:00:00\.000Z$/);
    expect(spent['holds']).to.deep.equal([]);
    expect(firstOf(spent)['message']).to.include('700 of 1000 tokens spent; the smallest request');
  });

  it('says that no wait helps where the whole limit is too small', async () => {
    await limitKey('budget_tokens, budget_period', 100, 'total');
    await world.fill({ scope: `k:${key.keyId}`, period: 't' });
    const told = await expectRefusal('request_too_large_for_limit');
    expect(told['until']).to.equal(null);
  });

  it('asks for a counter that is not filled, and waits a second for it', async () => {
    await limitKey('budget_tokens, budget_period', 5_000, 'total');
    const told = await expectRefusal('limiter_unavailable');
    expect(firstOf(told)['message']).to.include('not filled yet');
    const fills = await world.redis.smembers(KEYS.fills(0));
    expect(fills).to.deep.equal([`k:${key.keyId}|t`]);
  });

  it('knows a Redis that nobody made ready, and a stream that is full', async () => {
    await openShardLedger(world.redis, 0).begin('test', 'another life');
    expect(firstOf(await expectRefusal('limiter_unavailable'))['message']).to.include('Redis');

    await world.reset();
    await writeModels(0);
    for (let n = 0; n < 100; n += 1) await world.redis.xadd(KEYS.events(0), '*', 'entry', '{}');
    const env = { ...world.env, NZGW_AUDIT_STREAM_MAX: '100' };
    const run = await runNzgw(['explain', reference, 'llama3:8b', '--json'], { env });
    expect(readDocument(run)['code'], run.stderr).to.equal('audit_backlog');
  });

  it('tells a model that is not there from one that is not allowed', async () => {
    const gone = await expectRefusal('model_not_allowed', 'qwen3');
    expect(firstOf(gone)['message']).to.equal('no upstream has the model');
    expect(gone['model']).to.equal('registry.ollama.ai/library/qwen3:latest');
    await world.sql.query('update gateway.tenants set allow_all_models = false');
    const denied = await expectRefusal('model_not_allowed');
    expect(firstOf(denied)['message']).to.equal('neither key nor tenant allows the model');
    expect(await expectRefusal('model_not_allowed', 'a b')).to.include({ model: null });
  });

  it('trusts no list of models that is too old', async () => {
    await writeModels(200_000);
    await expectRefusal('models_unavailable');
  });

  it('puts first what the client would be told', async () => {
    await world.sql.query(`update gateway.tenants set status = 'suspended'`);
    await limitKey('max_output_tokens', 0);
    const told = await expectRefusal('tenant_suspended', 'qwen3');
    expect((told['reasons'] as Document[]).map(({ code }) => code)).to.deep.equal([
      'tenant_suspended',
      'model_not_allowed',
      'request_too_large_for_limit',
    ]);
    await world.sql.query(`update gateway.api_keys set expires_at = created_at + interval '1 ms'`);
    const expired = await expectRefusal('invalid_api_key');
    expect(firstOf(expired)['message']).to.equal('the key is expired');
  });

  it('of a key that is not there is exit 3', async () => {
    const run = await world.run('explain', 'nz_000000000000', 'llama3', '--json');
    expect([run.code, run.stdout]).to.deep.equal([3, '']);
    expect(readFailure(run)['code']).to.equal('key_not_found');
  });
});

/** A window of a minute whose one bucket is so many seconds old. */
function toWindow(secondsAgo: number, sum: number): Record<string, number> {
  const at = Math.floor(Date.now() / 1_000) - secondsAgo;
  return { at, sum, [at % 61]: sum };
}
