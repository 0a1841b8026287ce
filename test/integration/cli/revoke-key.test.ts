import { expect } from 'chai';
import { CONFIRMED_CHANNEL } from '../../../lib/revocation/channels.ts';
import { GATEWAY_LOCK, LOCK_CLASS } from '../../../lib/store/advisory-locks.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { PEPPER } from '../../support/launch-gateway.ts';
import { readDocument, runNzgw } from '../../support/run-nzgw.ts';
import type { Run } from '../../support/run-nzgw.ts';
import { seedKey, seedTenant } from '../../support/seed-key.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';

describe('cli: revoke-key tells who knows', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let sql: PostgresClient;
  let gateways: PostgresClient[];
  let tenantId: string;

  before(async () => {
    database = await makeDatabase();
    sql = await connect(database.url);
    tenantId = await seedTenant(sql, 'acme');
  });
  beforeEach(() => {
    gateways = [];
  });
  afterEach(() => Promise.all(gateways.map((gateway) => gateway.end())));
  after(async () => {
    await sql.end();
    await database.drop();
  });

  /** A session as a gateway's: it says what it has read when something changes, if it is awake. */
  async function openGateway({ awake }: { readonly awake: boolean }): Promise<void> {
    const gateway = await connect(database.url);
    gateways.push(gateway);
    await gateway.query('select pg_advisory_lock_shared($1, $2)', [LOCK_CLASS, GATEWAY_LOCK]);
    if (!awake) return;
    gateway.on('notification', () => {
      void gateway.query('select pg_notify($1, pg_current_snapshot()::text)', [CONFIRMED_CHANNEL]);
    });
    await gateway.query('listen nzgw_changes');
  }

  async function revoke(
    ...options: readonly string[]
  ): Promise<Run & { readonly name: string; readonly publicId: string }> {
    const { publicId } = await seedKey(sql, tenantId);
    const run = await revokeOnce(publicId, ...options);
    return { ...run, publicId, name: `nz_${publicId} (acme)` };
  }

  function revokeOnce(publicId: string, ...options: readonly string[]): Promise<Run> {
    const env = { DATABASE_URL: database.url, NZGW_KEY_PEPPER: PEPPER };
    return runNzgw(['revoke-key', publicId, ...options], { env });
  }

  it('nobody, where no gateway runs: exit 0', async () => {
    const { code, stdout, name } = await revoke();
    expect(code).to.equal(0);
    expect(stdout).to.equal(`Revoked ${name}: no gateway is running.\n`);
  });

  it('every gateway: exit 0', async () => {
    await openGateway({ awake: true });
    await openGateway({ awake: true });
    const { code, stdout, name } = await revoke();
    expect(code).to.equal(0);
    const [text, ms] = stdout.split(/ (\d+) ms\.\n$/);
    expect(text).to.equal(`Revoked ${name}: confirmed by 2 of 2 gateways in`);
    expect(Number(ms)).to.be.within(0, 1_999);
  });

  it('not every one of them within two seconds: exit 7, and the key is revoked all the same', async () => {
    await openGateway({ awake: true });
    await openGateway({ awake: false });
    const { code, stdout, name } = await revoke('--reason', 'leaked');
    expect(code).to.equal(7);
    const [text, ms] = stdout.split(/ (\d+) ms\.\n$/);
    expect(text).to.equal(`Revoked ${name}: confirmed by 1 of 2 gateways in`);
    expect(Number(ms)).to.be.at.least(2_000);
    const { rows } = await sql.query<{ status: string; reason: string }>(
      `select k.status, r.reason from gateway.revocations r
       join gateway.api_keys k on k.id = r.key_id where r.reason is not null`,
    );
    expect(rows).to.deep.equal([{ status: 'revoked', reason: 'leaked' }]);
  });

  it('asked again it tells who knows by now: exit 7 until all do', async () => {
    await openGateway({ awake: true });
    await openGateway({ awake: false });
    const first = await revoke();
    const again = await revokeOnce(first.publicId);
    expect(again.code).to.equal(7);
    expect(again.stdout).to.match(
      new RegExp(
        `^nz_${first.publicId} .acme. is revoked already since .*: confirmed by 1 of 2 gat`,
      ),
    );
    await gateways.pop()?.end();
    const last = await revokeOnce(first.publicId, '--json');
    expect(last.code).to.equal(0);
    const { ms, ...told } = readDocument(last);
    expect(told).to.include({ status: 'revoked', already: true, confirmed: 1, gateways: 1 });
    expect(ms).to.be.within(0, 1_999);
  });

  it('a key made by rotate-key is shown although nobody can be asked any more: exit 7', async () => {
    const listener = await connect(database.url);
    gateways.push(listener);
    listener.on('notification', () => {
      void listener.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'nzgw confirmations'",
      );
    });
    await listener.query('listen nzgw_changes');
    await openGateway({ awake: false });
    const { publicId } = await seedKey(sql, tenantId);
    const env = { DATABASE_URL: database.url, NZGW_KEY_PEPPER: PEPPER };
    const run = await runNzgw(['rotate-key', publicId, '--grace', '0', '--json'], { env });
    expect(run.code, run.stderr).to.equal(7);
    const document = JSON.parse(run.stdout) as { key: string; replaces: Record<string, unknown> };
    expect(document.key).to.match(/^nz_/);
    expect(document.replaces).to.include({ status: 'revoked', confirmed: 0, gateways: null });
  });
});
