import { expect } from 'chai';
import { makeFindKey } from '../../lib/revocation/find-key.ts';
import { makeRenewKey } from '../../lib/revocation/renew-key.ts';
import type { PostgresClient } from '../../lib/store/postgres.ts';
import { seedKey, seedTenant } from '../support/seed-key.ts';
import type { SeededKey } from '../support/seed-key.ts';
import { connect, makeDatabase } from '../support/test-postgres.ts';
import type { TestDatabase } from '../support/test-postgres.ts';

describe('revocation/find-key and renew-key', function () {
  this.timeout(30_000);
  let database: TestDatabase;
  let sql: PostgresClient;
  let seeded: SeededKey;

  before(async () => {
    database = await makeDatabase();
    sql = await connect(database.url);
  });

  beforeEach(async () => {
    seeded = await seedKey(sql, await seedTenant(sql, `t-${process.hrtime.bigint()}`));
  });

  after(async () => {
    await sql.end();
    await database.drop();
  });

  it('finds a key with its tenant by public id, and nothing for an id that nobody has', async () => {
    const find = makeFindKey(sql);
    const found = await find(seeded.publicId);
    expect(found?.key).to.include({ keyId: seeded.keyId, version: 1 });
    expect(found?.key.secretTag).to.match(/^[0-9a-f]{32}$/);
    expect(found?.tenant).to.include({ tenantId: seeded.tenantId, status: 'active', version: 1 });
    expect(await find('AAAAAAAAAAAA')).to.equal(undefined);
  });

  it('finds no tag of a key that was made without a pepper', async () => {
    await sql.query('update gateway.api_keys set secret_tag = null where id = $1', [seeded.keyId]);
    expect((await makeFindKey(sql)(seeded.publicId))?.key.secretTag).to.equal(null);
  });

  it('renews what is given, leaves the rest, and raises the version', async () => {
    const find = makeFindKey(sql);
    const renew = makeRenewKey(sql);
    const before = (await find(seeded.publicId))?.key;
    await renew(seeded.keyId, 1, { secretTag: Buffer.alloc(16, 7) });
    const tagged = (await find(seeded.publicId))?.key;
    expect(tagged).to.include({ version: 2, secretTag: '07'.repeat(16), hash: before?.hash });
    await renew(seeded.keyId, 2, { hash: `${before?.hash ?? ''}x` });
    const hashed = (await find(seeded.publicId))?.key;
    expect(hashed).to.include({ version: 3, secretTag: '07'.repeat(16) });
    expect(hashed?.hash).to.equal(`${before?.hash ?? ''}x`);
  });

  it('changes nothing in a row that has changed since it was read', async () => {
    await sql.query(`update gateway.api_keys set name = 'new' where id = $1`, [seeded.keyId]);
    await makeRenewKey(sql)(seeded.keyId, 1, { secretTag: Buffer.alloc(16, 7) });
    const { key } = (await makeFindKey(sql)(seeded.publicId)) ?? {};
    expect(key?.version).to.equal(2);
    expect(key?.secretTag).not.to.equal('07'.repeat(16));
  });
});
