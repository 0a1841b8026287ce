import { expect } from 'chai';
import { startTrustLoop } from '../../../lib/revocation/trust-loop.ts';
import type { TrustLoop } from '../../../lib/revocation/trust-loop.ts';
import { openShared } from '../../../lib/shared/shared-reader.ts';
import { createShared } from '../../../lib/shared/shared-writer.ts';
import { makeClient } from '../../../lib/store/postgres.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { seedKey, seedTenant } from '../../support/seed-key.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import type { TestDatabase } from '../../support/test-postgres.ts';
import { until } from '../../support/until.ts';

/** As when the queue of notifications is full, which one sleeping listener can bring about. */
const REFUSE_NOTICES = `
  create schema full_queue;
  create function full_queue.pg_notify(text, text) returns void language plpgsql as $$
  begin
    raise exception 'too many notifications in the NOTIFY queue' using errcode = '54000';
  end $$`;

describe('revocation: Postgres takes no confirmation', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let directory: TemporaryDirectory;
  let sql: PostgresClient;
  let loop: TrustLoop | undefined;

  beforeEach(async () => {
    database = await makeDatabase();
    directory = await makeTemporaryDirectory('unheard');
    sql = await connect(database.url);
  });
  afterEach(async () => {
    await loop?.stop();
    await sql.end();
    await directory.remove();
    await database.drop();
  });

  it('is no reason to trust nothing: the revocation is in force, and the session goes on', async () => {
    const { publicId, keyId } = await seedKey(sql, await seedTenant(sql, 'acme'));
    await sql.query(REFUSE_NOTICES);
    const writer = createShared(directory.path);
    const reader = openShared(writer.path);
    const troubles: unknown[] = [];
    const url = new URL(database.url);
    url.searchParams.set('options', '-c search_path=full_queue,pg_catalog,public');
    loop = startTrustLoop({
      makeClient: () => makeClient({ url: url.href, applicationName: 'unheard', timeoutMs: 5_000 }),
      shared: writer,
      clock: systemClock,
      runId: 'run',
      pollMs: 50,
      leaseMs: 750,
      markRevoked: () => Promise.resolve(),
      announce: () => undefined,
      onTrusted: () => undefined,
      onTrouble: (error) => troubles.push(error),
      onFatal: (error) => troubles.push(error),
    });
    await loop.firstSnapshot;
    const { session, deadlineMs } = loop.state();
    await sql.query('insert into gateway.revocations (key_id) values ($1)', [keyId]);
    await until(
      () => {
        reader.refresh();
        return reader.readKey(publicId)?.status === 'revoked';
      },
      { withinMs: 2_000, what: 'the revocation' },
    );
    await until(() => (loop?.state().deadlineMs ?? 0) > deadlineMs + 500, {
      withinMs: 5_000,
      what: 'trust to go on',
    });
    expect(loop.state().session).to.equal(session);
    expect(troubles).to.deep.equal([]);
    await loop.stop();
    await reader.close();
    await writer.close();
  });
});
