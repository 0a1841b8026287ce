import { expect } from 'chai';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { startOwnPostgres } from '../../support/own-postgres.ts';
import type { OwnPostgres } from '../../support/own-postgres.ts';
import { seedKey, seedTenant } from '../../support/seed-key.ts';
import type { SeededKey } from '../../support/seed-key.ts';
import { connect } from '../../support/test-postgres.ts';
import { startTrustWorld } from '../../support/trust-world.ts';
import type { TrustWorld } from '../../support/trust-world.ts';
import { until } from '../../support/until.ts';

describe('revocation: another Postgres stands behind the same address', function () {
  this.timeout(60_000);
  let servers: readonly OwnPostgres[];
  let clients: readonly PostgresClient[];
  /** Of both servers, as an older copy of a database has them. */
  let kept: SeededKey;
  let onlyFirst: SeededKey;
  let world: TrustWorld;
  let behind: OwnPostgres;

  before(async () => {
    servers = await Promise.all([startOwnPostgres(), startOwnPostgres()]);
    clients = await Promise.all(servers.map(({ url }) => connect(url)));
    const [first, second] = [client(0), client(1)];
    const tenantId = await seedTenant(first, 'acme');
    kept = await seedKey(first, tenantId);
    for (const table of ['tenants', 'api_keys']) await copy(table, first, second);
    onlyFirst = await seedKey(first, tenantId);
    // Far ahead, by more than anything that is done below.
    for (let n = 0; n < 500; n += 1) await first.query('select pg_current_xact_id()');
  });
  beforeEach(async () => {
    behind = server(0);
    world = await startTrustWorld(() => behind.url);
    await world.loop.firstSnapshot;
  });
  afterEach(() => world.stop());
  after(async () => {
    await Promise.all(clients.map((each) => each.end()));
    await Promise.all(servers.map((each) => each.stop()));
  });

  function server(n: number): OwnPostgres {
    const found = servers[n];
    if (found === undefined) throw new Error('there is no such server');
    return found;
  }

  function client(n: number): PostgresClient {
    const found = clients[n];
    if (found === undefined) throw new Error('there is no such client');
    return found;
  }

  async function copy(table: string, from: PostgresClient, to: PostgresClient): Promise<void> {
    const { rows } = await from.query<{ row: unknown }>(
      `select to_jsonb(t) as row from gateway.${table} t`,
    );
    for (const { row } of rows) {
      await to.query(
        `insert into gateway.${table}
         select * from jsonb_populate_record(null::gateway.${table}, $1)`,
        [JSON.stringify(row)],
      );
    }
  }

  async function readIdentity(n: number): Promise<{ system: string; xid: number }> {
    const { rows } = await client(n).query<{ system: string; xid: number }>(
      `select system_identifier::text as system, pg_current_xact_id()::text::int8 as xid
       from pg_control_system()`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error('the server does not say who it is');
    return row;
  }

  /** The address leads elsewhere, and the session is lost. */
  async function moveTo(n: number): Promise<void> {
    const from = servers.indexOf(behind);
    const { session, deadlineMs } = world.loop.state();
    behind = server(n);
    await client(from).query('select pg_terminate_backend($1)', [session]);
    await until(
      () => world.loop.state().session !== session && world.loop.state().deadlineMs > deadlineMs,
      { withinMs: 5_000, what: 'trust in the other server' },
    );
    await world.untilTrusted(1_000);
  }

  it('whose transactions have lower numbers: all is read anew, and what it does not have is gone', async () => {
    const [first, second] = [await readIdentity(0), await readIdentity(1)];
    expect(second.system).to.not.equal(first.system);
    expect(second.xid).to.be.below(first.xid);
    expect(world.readStatus(onlyFirst.publicId)).to.equal('active');

    await client(1).query('insert into gateway.revocations (key_id) values ($1)', [kept.keyId]);
    await moveTo(1);
    expect(world.readStatus(onlyFirst.publicId)).to.equal(undefined);
    expect(world.readStatus(kept.publicId)).to.equal('revoked');
  });

  it('whose revocations come in force from then on, although their numbers are long past', async () => {
    const later = await seedKey(client(1), await seedTenant(client(1), 'later'));
    await moveTo(1);
    expect((await readIdentity(1)).xid).to.be.below((await readIdentity(0)).xid);
    await client(1).query('insert into gateway.revocations (key_id) values ($1)', [later.keyId]);
    await until(() => world.readStatus(later.publicId) === 'revoked', {
      withinMs: 2_000,
      what: 'the revocation',
    });
    expect(world.isTrusted()).to.equal(true);
  });

  it('and then the first one again: what was revoked there meanwhile is in force', async () => {
    await moveTo(1);
    const { keyId, publicId } = onlyFirst;
    await client(0).query('insert into gateway.revocations (key_id) values ($1)', [keyId]);
    await moveTo(0);
    expect(world.readStatus(publicId)).to.equal('revoked');
  });
});
