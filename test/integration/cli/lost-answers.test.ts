import { expect } from 'chai';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import type { FaultProxy } from '../../support/fault-proxy.ts';
import type { Step } from '../../support/fault-steps.ts';
import { PEPPER } from '../../support/launch-gateway.ts';
import { readDocument, readFailure, runNzgw } from '../../support/run-nzgw.ts';
import type { Run } from '../../support/run-nzgw.ts';
import { seedKey, seedTenant } from '../../support/seed-key.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

/** What each act writes, by its first words. */
const ACTS = {
  'create-key': 'with key as',
  'rotate-key': 'with old as',
  'revoke-key': 'with before as',
} as const;
type Act = keyof typeof ACTS;
const ALL = Object.keys(ACTS) as readonly Act[];

describe('cli: the connection ends in the middle of an act', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let sql: PostgresClient;
  let proxy: FaultProxy;
  let tenantId: string;

  before(async () => {
    database = await makeDatabase();
    sql = await connect(database.url);
    tenantId = await seedTenant(sql, 'acme');
  });
  beforeEach(async () => {
    proxy = await startFaultProxy(database.url);
  });
  afterEach(() => proxy.close());
  after(async () => {
    await sql.end();
    await database.drop();
  });

  /** Runs it on a key of the tenant, and ends its connection there; `away`: with no other after it. */
  async function run(
    act: Act,
    at: Step,
    { away = false } = {},
  ): Promise<{ readonly run: Run; readonly old: string }> {
    const { publicId: old } = await seedKey(sql, tenantId);
    const words = {
      'create-key': ['acme'],
      'rotate-key': [old, '--grace', '0'],
      'revoke-key': [old],
    };
    const ended = proxy.at(at, ({ cut }) => {
      if (away) proxy.reset();
      cut();
    });
    const env = { DATABASE_URL: proxy.url, NZGW_KEY_PEPPER: PEPPER };
    const run = await runNzgw([act, ...words[act], '--json'], { env });
    await ended;
    return { run, old };
  }

  async function readKeys(): Promise<ReadonlyMap<string, string>> {
    const { rows } = await sql.query<{ public_id: string; status: string }>(
      'select public_id, status from gateway.api_keys',
    );
    return new Map(rows.map(({ public_id, status }) => [public_id, status]));
  }

  for (const [act, at] of [
    ...ALL.map((act) => [act, { command: ACTS[act], when: 'after' }] as const),
    ['rotate-key', { command: 'commit', when: 'before' }] as const,
  ]) {
    it(`${act} has done nothing where it ends ${at.when} "${at.command}": exit 6`, async () => {
      const before = await readKeys();
      const { run: ended, old } = await run(act, at);
      expect(ended).to.include({ code: 6, stdout: '' });
      expect(readFailure(ended)['code']).to.equal('postgres_unreachable');
      expect(await readKeys()).to.deep.equal(new Map([...before, [old, 'active']]));
    });
  }

  for (const act of ['create-key', 'rotate-key'] as const) {
    it(`${act} shows the key that it made although it heard nothing of the commit`, async () => {
      const { run: shown, old } = await run(act, { command: 'commit', when: 'after' });
      expect(shown.code, shown.stderr).to.equal(0);
      const [, publicId = ''] = String(readDocument(shown)['key']).split('_');
      const keys = await readKeys();
      expect(keys.get(publicId)).to.equal('active');
      expect(keys.get(old)).to.equal(act === 'rotate-key' ? 'revoked' : 'active');
    });
  }

  it('revoke-key tells that the key is revoked although it heard nothing of the commit', async () => {
    const { run: told, old } = await run('revoke-key', { command: 'commit', when: 'after' });
    expect(told.code, told.stderr).to.equal(0);
    expect(readDocument(told)).to.include({ status: 'revoked', already: false, gateways: 0 });
    expect((await readKeys()).get(old)).to.equal('revoked');
  });

  for (const act of ALL) {
    it(`${act} says that it may be done where nobody can be asked, and how to see: exit 6`, async () => {
      const before = await readKeys();
      const at = { command: 'commit', when: 'after' } as const;
      const { run: unknown, old } = await run(act, at, { away: true });
      expect(unknown).to.include({ code: 6, stdout: '' });
      const { code, message, hint } = readFailure(unknown);
      expect(code).to.equal('outcome_unknown');
      const made = [...(await readKeys()).keys()].filter((id) => id !== old && !before.has(id));
      const named = act === 'revoke-key' ? old : `nz_${made[0] ?? 'none'}`;
      expect(message).to.include(named);
      expect(hint).to.include(act === 'revoke-key' ? 'revoke-key' : `nzgw show-key ${named}`);
    });
  }
});
