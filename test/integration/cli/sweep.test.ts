import { expect } from 'chai';
import { tryLockSweep } from '../../../lib/retention/sweep-session.ts';
import { openRetentionWorld } from '../../support/retention-world.ts';
import type { Account, RetentionWorld } from '../../support/retention-world.ts';
import { readDocument, readFailure, runNzgw } from '../../support/run-nzgw.ts';
import type { Run } from '../../support/run-nzgw.ts';
import { startTestRedis } from '../../support/test-redis.ts';

describe('cli: sweep', function () {
  this.timeout(60_000);
  let world: RetentionWorld;
  let brief: Account;
  let redisUrl: string;

  before(async () => {
    redisUrl = (await startTestRedis()).url;
  });
  beforeEach(async () => {
    world = await openRetentionWorld();
    brief = await world.makeAccount(1);
    await world.makeAccount(30);
  });
  afterEach(() => world.close());

  const run = (args: readonly string[], role = ''): Promise<Run> => {
    const url = new URL(world.url);
    if (role !== '') url.searchParams.set('options', `-c role=${role}`);
    return runNzgw(args, { env: { DATABASE_URL: url.href, REDIS_URL: redisUrl } });
  };

  it('tells what it deleted, dropped and made, in the promised shape; then there is nothing left', async () => {
    await world.addRows(brief, 0);
    await world.addRows(brief, 5, 2_500);
    await world.addRows(brief, 31);
    await world.sql.query(
      `insert into gateway.prompt_log (id, tenant_id, key_id, created_at, expires_at, nonce, sealed)
       values (gen_random_uuid(), $1, $2, now() - interval '8 days', now() - interval '1 second',
         decode(repeat('00', 12), 'hex'), '')`,
      [brief.tenantId, brief.keyId],
    );
    const first = await run(['sweep', '--json'], 'gateway_runtime');
    expect([first.code, first.stderr]).to.deep.equal([0, '']);
    const { ms, ...document } = readDocument(first);
    expect(document).to.deep.equal({
      finished: true,
      day: world.day(0),
      audit_rows: 2_500,
      prompts: 1,
      days_dropped: [world.day(31)],
      days_made: [-1, -2, -3, -4, -5, -6, -7].map((ago) => world.day(ago)),
      days_postponed: [],
    });
    expect(ms).to.be.a('number');
    expect(await world.readRows(brief)).to.deep.equal(['0:1']);

    const second = await run(['sweep'], 'gateway_admin');
    expect(second.code, second.stderr).to.equal(0);
    expect(second.stdout).to.match(/^audit rows deleted +0\n.*\ndays dropped +none\n/);
    const { rows } = await world.sql.query('select day::text from gateway_meta.sweeps');
    expect(rows).to.deep.equal([{ day: world.day(0) }]);
  });

  it('leaves verify-ledger well, which names the days that were swept', async () => {
    for (const ago of [0, 1, 5, 31]) await world.addRows(brief, ago);
    await run(['sweep']);
    const verified = await run(['verify-ledger', '--json']);
    expect(verified.code, verified.stdout).to.equal(0);
    const found = readDocument(verified);
    expect(found).to.include({ ok: true, audited: 6, ledger: 6 });
    expect(found['unverifiable_days']).to.deep.equal([world.day(31), world.day(5)]);
  });

  it('is exit 5 where another sweep is under way, and deletes nothing', async () => {
    await world.addRows(brief, 5);
    expect(await tryLockSweep(world.client)).to.equal(true);
    const refused = await run(['sweep', '--json']);
    expect([refused.code, refused.stdout]).to.deep.equal([5, '']);
    expect(readFailure(refused)).to.include({ code: 'sweep_under_way', exit_code: 5 });
    expect(await world.readRows(brief)).to.deep.equal(['5:1']);
  });

  it('leaves a day that somebody reads for later, does the rest, and is exit 5', async () => {
    await world.addRows(brief, 31);
    await world.addRows(brief, 5);
    await run(['sweep']);
    await world.addRows(brief, 31);
    await world.addRows(brief, 6);
    await world.sql.query('begin');
    await world.sql.query('select count(*) from gateway.audit_log');
    const busy = await run(['sweep', '--json']);
    await world.sql.query('commit');
    expect(busy.code).to.equal(5);
    expect(readDocument(busy)).to.deep.include({
      ...{ finished: false, audit_rows: 1, days_dropped: [] },
      days_postponed: [world.day(31)],
    });
    expect(busy.stderr).to.include('Next: nzgw sweep');
    const free = await run(['sweep', '--json']);
    expect(free.code).to.equal(0);
    expect(readDocument(free)).to.deep.include({ days_dropped: [world.day(31)] });
  });

  it('does all but a day that Postgres refuses, and is exit 1 with the SQLSTATE', async () => {
    await world.addRows(brief, 31);
    await world.addRows(brief, 6);
    const name = `gateway.audit_log_${world.day(31).replaceAll('-', '')}`;
    await world.sql.query(`create view public.of_that_day as select * from ${name}`);
    const refused = await run(['sweep', '--json']);
    expect([refused.code, refused.stdout]).to.deep.equal([1, '']);
    expect(readFailure(refused)).to.include({ code: 'postgres_error', exit_code: 1 });
    expect(refused.stderr).to.include('2BP01').and.not.include('of_that_day');
    expect(await world.readRows(brief))
      .to.include('31:1')
      .and.not.include('6:1');
    await world.sql.query('drop view public.of_that_day');
    const free = await run(['sweep', '--json']);
    expect(free.code).to.equal(0);
    expect(readDocument(free)).to.deep.include({ days_dropped: [world.day(31)], audit_rows: 0 });
  });

  it('is exit 4 for a user who may not, and exit 6 without Postgres', async () => {
    const refused = await run(['sweep', '--json'], 'gateway_console');
    expect([refused.code, refused.stdout]).to.deep.equal([4, '']);
    const away = { DATABASE_URL: 'postgres://127.0.0.1:1/none' };
    expect((await runNzgw(['sweep'], { env: away })).code).to.equal(6);
  });
});
