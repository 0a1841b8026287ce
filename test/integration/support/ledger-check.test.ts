import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { openPool } from '../../../lib/store/postgres.ts';
import type { Pool } from '../../../lib/store/postgres.ts';
import { checkLedger } from '../../support/ledger-check.ts';
import type { LedgerCheckOptions } from '../../support/ledger-check.ts';
import type { SeededKey } from '../../support/seed-key.ts';
import { openLedgerWorld } from '../cli/open-ledger-world.ts';
import type { LedgerWorld } from '../cli/open-ledger-world.ts';

describe('support/ledger-check', function () {
  this.timeout(30_000);
  let world: LedgerWorld;
  let key: SeededKey;
  let database: Pool;

  before(async () => {
    world = await openLedgerWorld();
    key = await world.makeKey('acme');
    const { DATABASE_URL: url = '' } = world.env;
    database = openPool({ url, applicationName: 'test', maxConnections: 1, timeoutMs: 10_000 });
  });
  beforeEach(async () => {
    await world.reset();
    await world.addAudit({ ...key, promptTokens: 3 });
    await world.addLedger({ ...key, promptTokens: 3 });
  });
  after(async () => {
    await database.end();
    await world.close();
  });

  async function check(options?: LedgerCheckOptions): Promise<string> {
    const redis = { url: world.env['REDIS_URL'] ?? '' };
    return checkLedger({ database, redis }, options).then(
      ({ audit }) => String(audit.auditedTokens),
      (error: unknown) => (error as Error).message,
    );
  }

  it('passes where all adds up, and waits for what still runs', async () => {
    const reply = await world.admit(key);
    if (reply.kind !== 'ok') throw new Error(reply.kind);
    const checked = check();
    const { id, keyId, tenantId, shard } = reply.hold;
    const cancellation = { id, keyId, tenantId, shard, deadlineMs: 0 };
    expect(await world.ledger.cancel(cancellation)).to.equal(true);
    expect(await checked).to.equal('3');
  });

  it('finds what does not add up', async () => {
    await world.addAudit({ ...key, promptTokens: 1 });
    expect(await check()).to.include('what does not add up');
  });

  it('finds a request with two rows, and one without any', async () => {
    const { rows } = await world.sql.query<{ id: string }>('select id from gateway.audit_log');
    const ids = rows.map(({ id }) => id);
    expect(await check({ admitted: ids })).to.equal('3');
    expect(await check({ admitted: [...ids, randomUUID()] })).to.include('requests without a row');

    await world.addAudit({ ...key, promptTokens: 2 });
    await world.addLedger({ ...key, promptTokens: 2 });
    await world.sql.query('update gateway.audit_log set id = $1', [ids[0]]);
    expect(await check()).to.include('requests with several rows');
  });
});
