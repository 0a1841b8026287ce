import { expect } from 'chai';
import { prepareStores } from '../../../lib/cluster/prepare.ts';
import { loadSettings } from '../../../lib/config/load-settings.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { openRedis } from '../../../lib/store/redis.ts';
import { PEPPER } from '../../support/launch-gateway.ts';
import { startReplicatedPostgres } from '../../support/own-postgres.ts';
import type { ReplicatedPostgres } from '../../support/own-postgres.ts';
import { recordLog } from '../../support/record-log.ts';
import { seedKey, seedTenant } from '../../support/seed-key.ts';
import type { SeededKey } from '../../support/seed-key.ts';
import { connect } from '../../support/test-postgres.ts';
import { startTrustWorld } from '../../support/trust-world.ts';
import type { TrustWorld } from '../../support/trust-world.ts';
import { until } from '../../support/until.ts';

describe('revocation: Postgres is a standby', function () {
  this.timeout(60_000);
  let postgres: ReplicatedPostgres;
  let sql: PostgresClient;
  let follower: PostgresClient;
  let tenants = 0;
  let key: SeededKey;
  let world: TrustWorld | undefined;

  before(async () => {
    postgres = await startReplicatedPostgres();
    sql = await connect(postgres.primary.url);
    follower = await connect(postgres.standby.url);
  });
  beforeEach(async () => {
    key = await seedKey(sql, await seedTenant(sql, `t${(tenants += 1)}`));
    await until(() => isThere(key), { withinMs: 10_000, what: 'the key on the standby' });
  });
  afterEach(async () => {
    await world?.stop();
    world = undefined;
  });
  after(async () => {
    await Promise.all([sql.end(), follower.end()]);
    await postgres.standby.stop();
    await postgres.primary.stop();
  });

  async function isThere({ keyId }: SeededKey): Promise<boolean> {
    const { rowCount } = await follower.query('select from gateway.api_keys where id = $1', [
      keyId,
    ]);
    return rowCount === 1;
  }

  /** Where a standby's snapshot counts it as over, nothing would ever be read of it. */
  async function beginRevocation(): Promise<PostgresClient> {
    const slow = await connect(postgres.primary.url);
    await slow.query('begin');
    await slow.query('insert into gateway.revocations (key_id) values ($1)', [key.keyId]);
    const later = await seedKey(sql, key.tenantId);
    await until(() => isThere(later), { withinMs: 10_000, what: 'a later transaction' });
    return slow;
  }

  it('is not believed: its snapshot leaves out what runs, and a revocation would be missed for good', async () => {
    const slow = await beginRevocation();
    const { url } = postgres.standby;
    const standing = (world = await startTrustWorld(() => url));
    await until(() => standing.troubles.length >= 3, { withinMs: 5_000, what: 'three tries' });
    expect(standing.troubles.map((error) => (error as Error).name)).to.satisfy((names: string[]) =>
      names.every((name) => name === 'StandbyError'),
    );
    await slow.query('commit');
    await slow.end();
    expect(standing.reader.readTrust()).to.equal(undefined);
    expect(standing.loop.state().session).to.equal(null);
    expect(standing.readStatus(key.publicId)).to.equal(undefined);
  });

  it('ends the trust in what a primary behind the same address had said', async () => {
    let { url } = postgres.primary;
    const standing = (world = await startTrustWorld(() => url));
    await standing.loop.firstSnapshot;
    url = postgres.standby.url;
    const slow = await beginRevocation();
    await sql.query('select pg_terminate_backend($1)', [standing.loop.state().session]);
    await until(() => !standing.isTrusted(), { withinMs: 2_000, what: 'trust to end' });
    await slow.query('commit');
    await slow.end();
    await until(() => standing.troubles.length >= 4, { withinMs: 5_000, what: 'more tries' });
    expect(standing.isTrusted()).to.equal(false);

    url = postgres.primary.url;
    await standing.untilTrusted(3_000);
    expect(standing.readStatus(key.publicId)).to.equal('revoked');
  });

  it('is waited for at the start, and the line says why', async () => {
    const { log, lines } = recordLog();
    const stop = new AbortController();
    const { settings } = loadSettings({
      DATABASE_URL: postgres.standby.url,
      REDIS_URL: 'redis://127.0.0.1:9',
      OLLAMA_URL: 'http://127.0.0.1:9',
      NZGW_KEY_PEPPER: PEPPER,
    });
    const redis = openRedis({
      url: settings.redisUrl,
      connectionName: 'none',
      commandTimeoutMs: 9,
    });
    const prepared = prepareStores(settings, redis, log, stop.signal).catch(
      (error: unknown) => error,
    );
    await until(() => lines.length > 0, { withinMs: 5_000, what: 'a line' });
    stop.abort();
    expect(await prepared).to.have.property('name', 'AbortError');
    redis.disconnect();
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({
      event: 'waiting',
      for: 'postgres',
      'error.type': 'StandbyError',
    });
    expect(lines[0]?.message).to.contain('is a standby');
  });

  // The last one: there is no standby afterwards.
  it('is believed once it is promoted, with every revocation that it has', async () => {
    const { url } = postgres.standby;
    const standing = (world = await startTrustWorld(() => url));
    await until(() => standing.troubles.length >= 2, { withinMs: 5_000, what: 'two tries' });
    await sql.query('insert into gateway.revocations (key_id) values ($1)', [key.keyId]);
    await until(
      async () => {
        const { rowCount } = await follower.query(
          "select from gateway.revocations where kind = 'revocation' and key_id = $1",
          [key.keyId],
        );
        return rowCount === 1;
      },
      { withinMs: 10_000, what: 'the revocation on the standby' },
    );
    await follower.query('select pg_promote()');
    await standing.untilTrusted(5_000);
    expect(standing.readStatus(key.publicId)).to.equal('revoked');
  });
});
