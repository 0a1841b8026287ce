import { expect } from 'chai';
import { CONFIRMED_CHANNEL } from '../../../lib/revocation/channels.ts';
import { openConfirmations } from '../../../lib/revocation/confirmations.ts';
import type { Confirmations } from '../../../lib/revocation/confirmations.ts';
import { GATEWAY_LOCK, LOCK_CLASS, SELECT_GATEWAYS } from '../../../lib/store/advisory-locks.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';
import { until } from '../../support/until.ts';

const SHORT_MS = 300;
const LEASE_MS = 750;
const LONG_MS = 10_000;

describe('revocation/confirmations', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let own: PostgresClient;
  let clients: PostgresClient[];
  let confirmations: Confirmations;

  beforeEach(async () => {
    database = await makeDatabase();
    clients = [];
    own = await open();
    confirmations = await openConfirmations(own, systemClock, LEASE_MS);
  });

  afterEach(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await database.drop();
  });

  async function open(): Promise<PostgresClient> {
    const client = await connect(database.url);
    clients.push(client);
    return client;
  }

  /** A session that holds the lock of gateways. */
  async function openGateway(): Promise<PostgresClient> {
    const client = await open();
    await client.query('select pg_advisory_lock_shared($1, $2)', [LOCK_CLASS, GATEWAY_LOCK]);
    return client;
  }

  async function readSnapshot(client: PostgresClient): Promise<string> {
    const { rows } = await client.query<{ snapshot: string }>(
      'select pg_current_snapshot()::text as snapshot',
    );
    return rows[0]?.snapshot ?? '';
  }

  /** A transaction that has been committed. */
  async function write(): Promise<string> {
    const client = await open();
    const { rows } = await client.query<{ xid: string }>(
      'select pg_current_xact_id()::text as xid',
    );
    return rows[0]?.xid ?? '';
  }

  async function untilGatewaysAre(count: number): Promise<void> {
    const client = await open();
    await until(async () => (await client.query(SELECT_GATEWAYS)).rowCount === count, {
      withinMs: 5_000,
      what: 'the session to be gone',
    });
  }

  function say(client: PostgresClient, text: string) {
    return client.query('select pg_notify($1, $2)', [CONFIRMED_CHANNEL, text]);
  }

  it('has nobody to wait for where no gateway runs', async () => {
    expect(await confirmations.wait(await write(), LONG_MS)).to.deep.equal({
      gateways: 0,
      confirmed: 0,
      ms: 0,
    });
  });

  it('waits for every gateway, and tells when the last one said so', async () => {
    const [one, other] = [await openGateway(), await openGateway()];
    const xid = await write();
    await say(one, await readSnapshot(one));
    const waiting = confirmations.wait(xid, LONG_MS);
    await say(other, await readSnapshot(other));
    const confirmed = await waiting;
    expect(confirmed).to.include({ gateways: 2, confirmed: 2 });
    expect(confirmed.ms).to.be.within(0, LONG_MS - 1);
  });

  it('tells how many were missing when it was given up', async () => {
    const [one] = [await openGateway(), await openGateway()];
    const xid = await write();
    await say(one, await readSnapshot(one));
    const confirmed = await confirmations.wait(xid, SHORT_MS);
    expect(confirmed).to.include({ gateways: 2, confirmed: 1 });
    expect(confirmed.ms).to.be.at.least(SHORT_MS);
  });

  it('takes no word for it that was read before, that comes from others, or that is none', async () => {
    const gateway = await openGateway();
    const early = await readSnapshot(gateway);
    const xid = await write();
    await say(gateway, early);
    await say(gateway, 'no snapshot at all');
    await say(gateway, '');
    await say(gateway, `${'9'.repeat(30)}:1:`);
    await say(await open(), await readSnapshot(gateway));
    expect(await confirmations.wait(xid, SHORT_MS)).to.include({ gateways: 1, confirmed: 0 });
  });

  it('waits for a gateway that has gone only as long as its workers may believe what it said', async () => {
    const [one, other] = [await openGateway(), await openGateway()];
    // As one who revokes does: looks who runs before the act.
    const looked = await openConfirmations(await open(), systemClock, LEASE_MS);
    const xid = await write();
    await say(one, await readSnapshot(one));
    const waiting = looked.wait(xid, LONG_MS);
    await other.end();
    const confirmed = await waiting;
    expect(confirmed).to.include({ gateways: 1, confirmed: 1 });
    expect(confirmed.ms).to.be.within(LEASE_MS, LONG_MS - 1);
  });

  it('counts one that has lost its session as a gateway that does not know', async () => {
    const [one, other] = [await openGateway(), await openGateway()];
    const again = await openConfirmations(await open(), systemClock, LEASE_MS);
    await other.end();
    await untilGatewaysAre(1);
    const xid = await write();
    await say(one, await readSnapshot(one));
    expect(await again.wait(xid, SHORT_MS)).to.include({ gateways: 2, confirmed: 1 });
    await say(one, await readSnapshot(one));
    expect(await again.wait(xid, LONG_MS)).to.include({ gateways: 1, confirmed: 1 });
  });

  it('does not wait for one that said so before it went', async () => {
    const [one, other] = [await openGateway(), await openGateway()];
    const xid = await write();
    await say(other, await readSnapshot(other));
    await other.end();
    await untilGatewaysAre(1);
    await say(one, await readSnapshot(one));
    const confirmed = await confirmations.wait(xid, LONG_MS);
    expect(confirmed).to.include({ gateways: 1, confirmed: 1 });
    expect(confirmed.ms).to.be.below(LEASE_MS);
  });
});
