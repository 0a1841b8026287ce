import { expect } from 'chai';
import { CONFIRMED_CHANNEL } from '../../../lib/revocation/channels.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { startOwnPostgres } from '../../support/own-postgres.ts';
import type { OwnPostgres } from '../../support/own-postgres.ts';
import { seedKey, seedTenant } from '../../support/seed-key.ts';
import type { SeededKey } from '../../support/seed-key.ts';
import { connect } from '../../support/test-postgres.ts';
import { startTrustWorld, TRUST_NAME } from '../../support/trust-world.ts';
import type { TrustWorld } from '../../support/trust-world.ts';
import { until } from '../../support/until.ts';

const WATCHED_MS = 4_000;

/** Commits wait for a standby that is not there, unless the session says otherwise. */
const LOSE_THE_STANDBY = [
  `alter system set synchronous_standby_names = 'nobody'`,
  `alter system set synchronous_commit = 'on'`,
];
const FIND_THE_STANDBY = [
  'alter system reset synchronous_standby_names',
  'alter system reset synchronous_commit',
];

describe('revocation: a notification hangs at its commit', function () {
  this.timeout(60_000);
  let postgres: OwnPostgres;
  /** Waits for nobody. */
  let sql: PostgresClient;
  let waiting: PostgresClient;
  let world: TrustWorld | undefined;
  let tenants = 0;
  let isCommitting = false;
  let key: SeededKey;

  before(async () => {
    postgres = await startOwnPostgres();
  });
  beforeEach(async () => {
    sql = await openSession('off');
    waiting = await openSession('on');
    key = await seedKey(sql, await seedTenant(sql, `t${(tenants += 1)}`));
  });
  afterEach(async () => {
    await set(FIND_THE_STANDBY);
    await world?.stop();
    world = undefined;
    await Promise.all([sql.end(), waiting.end()]);
  });
  after(() => postgres.stop());

  function openSession(synchronousCommit: 'on' | 'off'): Promise<PostgresClient> {
    const url = new URL(postgres.url);
    url.searchParams.set('options', `-c synchronous_commit=${synchronousCommit}`);
    return connect(url.href);
  }

  async function set(settings: readonly string[]): Promise<void> {
    for (const setting of settings) await sql.query(setting);
    await sql.query('select pg_reload_conf()');
  }

  /** Whose commit holds the one lock that every notification of the whole server needs. */
  async function hangNotification(): Promise<void> {
    await set(LOSE_THE_STANDBY);
    await until(isStandbyMissed, { withinMs: 5_000, what: 'the setting to be in force' });
    await until(isCommitHung, { withinMs: 5_000, what: 'a hung commit' });
  }

  /** Commits wait from when the checkpointer has read the setting, which may be later: then again. */
  async function isCommitHung(): Promise<boolean> {
    if (!isCommitting) {
      isCommitting = true;
      void seedTenant(waiting, `hung${(tenants += 1)}`)
        .catch(() => undefined)
        .finally(() => (isCommitting = false));
    }
    return (await countWaiting('SyncRep')) > 0;
  }

  async function isStandbyMissed(): Promise<boolean> {
    const { rows } = await sql.query<{ names: string }>(
      `select current_setting('synchronous_standby_names') as names`,
    );
    return rows[0]?.names === 'nobody';
  }

  async function countWaiting(event: string): Promise<number> {
    const { rowCount } = await sql.query('select from pg_stat_activity where wait_event = $1', [
      event,
    ]);
    return rowCount ?? 0;
  }

  async function countSessions(): Promise<number> {
    const { rowCount } = await sql.query(
      'select from pg_stat_activity where application_name = $1',
      [TRUST_NAME],
    );
    return rowCount ?? 0;
  }

  /** A trigger would notify, and wait: so it is written as the restore of a dump would write it. */
  async function revokeInSilence(): Promise<void> {
    await sql.query('set session_replication_role = replica');
    await sql.query(
      `with done as (update gateway.api_keys set status = 'revoked', revoked_at = now() where id = $1)
       insert into gateway.revocations (key_id) values ($1)`,
      [key.keyId],
    );
  }

  async function isBlocked(session: number | null): Promise<boolean> {
    const { rowCount } = await sql.query(
      `select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'`,
      [session],
    );
    return rowCount === 1;
  }

  it('hinders no start, ends no trust and leaves no session behind', async () => {
    await hangNotification();
    const standing = (world = await startTrustWorld(() => postgres.url));
    let begun = false;
    void standing.loop.firstSnapshot.then(() => (begun = true));
    await until(() => begun && standing.isTrusted(), { withinMs: 3_000, what: 'the start' });
    const { session } = standing.loop.state();
    expect(await standing.watchTrust(WATCHED_MS)).to.equal(1);
    expect(standing.loop.state().session).to.equal(session);
    expect(await countSessions()).to.equal(1);
    expect(standing.troubles).to.deep.equal([]);
  });

  it('ends no trust that stood, when a revocation is to be confirmed meanwhile', async () => {
    const standing = (world = await startTrustWorld(() => postgres.url));
    await standing.loop.firstSnapshot;
    const { session } = standing.loop.state();
    await hangNotification();
    await revokeInSilence();
    expect(await standing.watchTrust(WATCHED_MS)).to.equal(1);
    expect(standing.readStatus(key.publicId)).to.equal('revoked');
    expect(standing.loop.state().session).to.equal(session);
    expect(standing.troubles).to.deep.equal([]);
  });

  it('is confirmed after all when it ends while somebody still waits', async () => {
    const standing = (world = await startTrustWorld(() => postgres.url));
    await standing.loop.firstSnapshot;
    const { session } = standing.loop.state();
    const heard: (number | undefined)[] = [];
    sql.on('notification', ({ processId }) => heard.push(processId));
    await sql.query(`listen ${CONFIRMED_CHANNEL}`);
    await hangNotification();
    await revokeInSilence();
    await until(() => isBlocked(session), { withinMs: 2_000, what: 'the first try' });
    await until(async () => !(await isBlocked(session)), { withinMs: 2_000, what: 'its end' });
    heard.length = 0;
    await set(FIND_THE_STANDBY);
    await until(() => heard.includes(session ?? 0), { withinMs: 2_000, what: 'the confirmation' });
    expect(standing.troubles).to.deep.equal([]);
  });
});
