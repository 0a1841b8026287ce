import { hashSync } from '@node-rs/argon2';
import { expect } from 'chai';
import { toOptions } from '../../../lib/auth/hash-key.ts';
import { makeKey } from '../../../lib/auth/key-format.ts';
import { makeSecretTag } from '../../../lib/auth/secret-tag.ts';
import { PoolFullError } from '../../../lib/threads/thread-pool.ts';
import { AuthWorld, OLD_PEPPER, refusalOf } from '../../support/auth-world.ts';
import { makeTenantRow } from '../../support/rows.ts';
import { TEST_COST, TEST_PEPPER } from '../../support/seed-key.ts';
import { until } from '../../support/until.ts';

describe('auth/authenticate', () => {
  let world: AuthWorld;
  const codeOf = async (promise: Promise<unknown>) => (await refusalOf(promise)).code;
  const argon2Calls = () => world.tasks.filter((task) => task.type === 'verify').length;

  beforeEach(() => {
    world = new AuthWorld();
  });

  it('gives the rows of a right key, proved by Argon2 once and by the map from then on', async () => {
    const { key, row } = world.addKey();
    const principal = await world.call(key);
    expect(principal).to.deep.equal({ key: row, tenant: makeTenantRow() });
    await world.call(key);
    await world.call(key);
    expect(argon2Calls()).to.equal(1);
    expect(world.events).to.deep.equal(['proved_by_argon2', 'proved_by_map', 'proved_by_map']);
  });

  it('shares the proof through Redis with a worker that has not seen the key', async () => {
    const { key } = world.addKey();
    await world.call(key);
    await until(() => world.redis.size, { withinMs: 1_000, what: 'the entry' });
    const other = new AuthWorld();
    for (const [publicId, known] of world.keys) other.keys.set(publicId, known);
    for (const [id, tenant] of world.tenants) other.tenants.set(id, tenant);
    for (const [id, text] of world.redis) other.redis.set(id, text);
    other.nowMs = world.nowMs + 59_000;
    await other.call(key);
    expect(other.events).to.deep.equal(['proved_by_store']);
    expect(other.tasks).to.deep.equal([]);

    other.nowMs += 1_000;
    await other.call(key);
    expect(other.events.at(-1)).to.equal('proved_by_argon2');
  });

  it('forgets a proof after its time', async () => {
    const { key } = world.addKey();
    await world.call(key);
    world.nowMs += 60_000;
    await world.call(key);
    expect(argon2Calls()).to.equal(2);
  });

  it('proves a key in use anew before its proof is over, and nobody waits for that', async () => {
    const { key } = world.addKey();
    await world.call(key);
    world.nowMs += 45_000;
    world.during.verify = () => new Promise(() => undefined);
    await world.call(key);
    await until(() => argon2Calls() === 2, { withinMs: 1_000, what: 'the second proof' });
    await world.call(key);
    expect(argon2Calls()).to.equal(2);
    expect(world.events).to.deep.equal(['proved_by_argon2', 'proved_by_map', 'proved_by_map']);
  });

  it('goes on with the early proof, its own or that of another worker', async () => {
    const { key, row } = world.addKey();
    await world.call(key);
    await until(() => world.redis.size, { withinMs: 1_000, what: 'the entry' });
    const first = world.redis.get(row.keyId);
    world.nowMs += 45_000;
    await world.call(key);
    const shared = await until(
      () => {
        const text = world.redis.get(row.keyId);
        return text !== first && text;
      },
      { withinMs: 1_000, what: 'the next entry' },
    );
    world.nowMs += 59_000;
    await world.call(key);
    expect(world.events.at(-1)).to.equal('proved_by_map');

    const other = new AuthWorld();
    for (const [publicId, known] of world.keys) other.keys.set(publicId, known);
    for (const [id, tenant] of world.tenants) other.tenants.set(id, tenant);
    other.nowMs = world.nowMs - 59_000 - 45_000;
    await other.call(key);
    await until(() => other.redis.size, { withinMs: 1_000, what: 'the entry' });
    other.nowMs += 45_000;
    other.redis.set(row.keyId, shared);
    await other.call(key);
    await until(() => other.events.at(-1) === 'proved_by_store', { withinMs: 1_000, what: 'it' });
    expect(other.tasks).to.have.length(1);
  });

  it('proves at most two keys early at once, and none whose expiry is near', async () => {
    const keys = [0, 1, 2].map(() => world.addKey());
    const ending = world.addKey({ expiresAtMs: world.clock.wallMs() + 100_000 });
    for (const { key } of [...keys, ending]) await world.call(key);
    const before = argon2Calls();
    world.nowMs += 45_000;
    world.during.verify = () => new Promise(() => undefined);
    for (const { key } of [ending, ...keys]) await world.call(key);
    await until(() => argon2Calls() === before + 2, { withinMs: 1_000, what: 'two proofs' });
    for (const { key } of [ending, ...keys]) await world.call(key);
    expect(argon2Calls()).to.equal(before + 2);
  });

  it('lets a request pass whose early proof cannot be made, and tries again with the next', async () => {
    const { key } = world.addKey();
    await world.call(key);
    world.nowMs += 45_000;
    let asked = 0;
    world.during.get = () => {
      asked += 1;
      throw new Error('away');
    };
    await world.call(key);
    await until(() => asked === 1, { withinMs: 1_000, what: 'the store' });
    await until(
      async () => {
        await world.call(key);
        return asked > 1;
      },
      { withinMs: 1_000, what: 'the next try' },
    );
    expect(argon2Calls()).to.equal(1);
  });

  it('believes a proof only for the versions of key and tenant that it was made for', async () => {
    const { key, row } = world.addKey();
    await world.call(key);
    const changed = world.change(row, {});
    await world.call(key);
    expect(argon2Calls()).to.equal(2);
    world.tenants.set(changed.tenantId, makeTenantRow({ version: 2 }));
    await world.call(key);
    expect(argon2Calls()).to.equal(3);
  });

  it('says 503 without a trust lease, or after its deadline, before it asks anyone', async () => {
    const { key } = world.addKey();
    await world.call(key);
    const tasks = world.tasks.length;
    world.trust = { deadlineMs: world.nowMs, runId: 'r' };
    const refusal = await refusalOf(world.call(key));
    expect(refusal.code).to.equal('auth_unavailable');
    expect(refusal.details.retryAfterMs).to.equal(1_000);
    world.trust = undefined;
    expect(await codeOf(world.call(key))).to.equal('auth_unavailable');
    expect(world.tasks).to.have.length(tasks);
  });

  it('calls a key wrong that is missing or malformed, whether or not anything can be checked', async () => {
    world.trust = undefined;
    expect(await codeOf(world.callRaw([]))).to.equal('invalid_api_key');
    expect(await codeOf(world.call('nz_rubbish'))).to.equal('invalid_api_key');
  });

  it('spends nothing on a key that is missing or malformed', async () => {
    world.waitMs = 5_000;
    expect(await codeOf(world.callRaw([]))).to.equal('invalid_api_key');
    expect(await codeOf(world.call('nz_rubbish'))).to.equal('invalid_api_key');
    expect([world.lookups, world.failures.length, world.tasks.length]).to.deep.equal([0, 0, 0]);
  });

  it('ends a wrong secret at its tag, and counts it', async () => {
    const { row } = world.addKey();
    const wrong = world.addWrongKey(row);
    expect(await codeOf(world.call(wrong, '2001:db8::1'))).to.equal('invalid_api_key');
    expect(world.failures).to.deep.equal(['2001:db8:0:0::/64']);
    expect(world.tasks).to.deep.equal([]);
  });

  it('ends a wrong secret of a key without a tag at Argon2, and counts it', async () => {
    const { row } = world.addKey({ secretTag: null });
    const wrong = world.addWrongKey(row);
    expect(await codeOf(world.call(wrong))).to.equal('invalid_api_key');
    expect(world.failures).to.have.length(1);
    expect(argon2Calls()).to.equal(1);
  });

  it('refuses an address over its limit before Argon2 is spent, unless the key is known', async () => {
    const known = world.addKey();
    await world.call(known.key);
    const other = world.addKey();
    world.waitMs = 2_500;
    const refusal = await refusalOf(world.call(other.key));
    expect(refusal.code).to.equal('too_many_failures');
    expect(refusal.details.retryAfterMs).to.equal(2_500);
    expect(argon2Calls()).to.equal(1);
    await world.call(known.key);
  });

  it('refuses keys that are revoked, expired, or of a closed tenant without asking further', async () => {
    const at = world.clock.wallMs();
    const dead = [
      world.addKey({ status: 'revoked', tenantId: 'a' }),
      world.addKey({ expiresAtMs: at, tenantId: 'a' }),
      world.addKey({ tenantId: 'c' }),
    ];
    world.tenants.set('a', makeTenantRow({ tenantId: 'a' }));
    world.tenants.set('c', makeTenantRow({ tenantId: 'c', status: 'closed' }));
    for (const { key } of dead) expect(await codeOf(world.call(key))).to.equal('invalid_api_key');
    expect(world.tasks).to.deep.equal([]);
    expect(world.failures).to.deep.equal([]);
  });

  it('lets a key pass up to its expiry, and no proof outlive it', async () => {
    const { key } = world.addKey({ expiresAtMs: world.clock.wallMs() + 1_500 });
    await world.call(key);
    await until(() => world.redis.size, { withinMs: 1_000, what: 'the entry' });
    expect(world.redisTtlMs).to.equal(1_500);
    world.nowMs += 1_499;
    await world.call(key);
    world.nowMs += 1;
    expect(await codeOf(world.call(key))).to.equal('invalid_api_key');
  });

  it('tells of a suspended tenant only who has the secret', async () => {
    const { key, row } = world.addKey({}, { status: 'suspended' });
    expect(await codeOf(world.call(key))).to.equal('tenant_suspended');
    expect(world.tasks).to.deep.equal([]);
    const wrong = world.addWrongKey(row);
    expect(await codeOf(world.call(wrong))).to.equal('invalid_api_key');
  });

  it('wants Argon2 to prove a key without a tag before it tells of a suspended tenant', async () => {
    const { key, row } = world.addKey({ secretTag: null });
    await world.call(key);
    world.tenants.set(row.tenantId, makeTenantRow({ status: 'suspended' }));
    expect(await codeOf(world.call(key))).to.equal('tenant_suspended');
    world.tenants.set(row.tenantId, makeTenantRow({ status: 'suspended', version: 2 }));
    expect(await codeOf(world.call(key))).to.equal('tenant_suspended');
    expect(argon2Calls()).to.equal(2);

    const wrong = world.addWrongKey(row);
    expect(await codeOf(world.call(wrong))).to.equal('invalid_api_key');
  });

  it('finds a key made a moment ago in Postgres, once for all who ask', async () => {
    const { key, row } = world.addKey();
    world.keys.clear();
    world.postgres.set(row.publicId, { key: row, tenant: makeTenantRow() });
    const principals = await Promise.all([world.call(key), world.call(key), world.call(key)]);
    expect(principals.map((principal) => principal.key.keyId)).to.deep.equal(
      Array.from({ length: 3 }, () => row.keyId),
    );
    expect([world.lookups, argon2Calls()]).to.deep.equal([1, 1]);
  });

  it('does not believe the row of Postgres for longer than a lease', async () => {
    const { key, row } = world.addKey();
    world.keys.clear();
    world.postgres.set(row.publicId, { key: row, tenant: makeTenantRow() });
    world.during.verify = () => (world.nowMs += 200);
    await world.call(key);
    expect(world.lookups).to.equal(2);
    expect(argon2Calls()).to.equal(1);
  });

  it('remembers an unknown id for a while, and forgets it at any change', async () => {
    const { key } = makeKey();
    for (let round = 0; round < 3; round += 1) {
      expect(await codeOf(world.call(key))).to.equal('invalid_api_key');
    }
    expect(world.lookups).to.equal(1);
    expect(world.failures).to.have.length(3);
    world.nowMs += 10_000;
    await codeOf(world.call(key));
    expect(world.lookups).to.equal(2);
    world.generation += 1;
    await codeOf(world.call(key));
    expect(world.lookups).to.equal(3);
  });

  it('does not hold an id unknown that was made while Postgres answered', async () => {
    const { key, row } = world.addKey();
    world.keys.clear();
    world.during.find = () => {
      world.generation += 1;
      world.during = {};
      world.postgres.clear();
    };
    expect(await codeOf(world.call(key))).to.equal('invalid_api_key');
    world.postgres.set(row.publicId, { key: row, tenant: makeTenantRow() });
    expect((await world.call(key)).key.keyId).to.equal(row.keyId);
  });

  for (const wait of ['get', 'check', 'verify'] as const) {
    it(`says 503 for a key that is not cached when "${wait}" cannot be done`, async () => {
      const { key } = world.addKey();
      world.during[wait] = () => {
        throw new Error('away');
      };
      const refusal = await refusalOf(world.call(key));
      expect(refusal.code).to.equal('auth_unavailable');
      expect(refusal.details.retryAfterMs).to.equal(1_000);
    });
  }

  it('says 503 when Postgres or the count of failures is away for an unknown id', async () => {
    const { key } = makeKey();
    const away = () => {
      throw new Error('away');
    };
    world.during.find = away;
    expect(await codeOf(world.call(key))).to.equal('auth_unavailable');
    world.during = { fail: away };
    expect(await codeOf(world.call(key))).to.equal('auth_unavailable');
  });

  it('says 503 overloaded when the pool is full', async () => {
    const { key } = world.addKey();
    world.during.verify = () => {
      throw new PoolFullError('full');
    };
    expect(await codeOf(world.call(key))).to.equal('overloaded');
  });

  it('passes although its proof cannot be shared', async () => {
    const { key } = world.addKey();
    world.during.set = () => {
      throw new Error('away');
    };
    await world.call(key);
    await until(() => world.events.includes('store_failed'), {
      withinMs: 1_000,
      what: 'the report',
    });
  });

  it('reads rows again that changed under a check, without a second Argon2 for the same hash', async () => {
    const { key, row } = world.addKey();
    world.during.verify = () => {
      world.during = {};
      world.change(row, { limits: { ...row.limits, concurrency: 1 } });
    };
    const principal = await world.call(key);
    expect(principal.key.limits.concurrency).to.equal(1);
    expect(argon2Calls()).to.equal(1);
  });

  it('says 503 when the rows never stand still', async () => {
    const { key, row } = world.addKey();
    let current = row;
    world.during.verify = () => {
      const hash = hashSync(key, toOptions(TEST_COST));
      current = world.change(current, { hash });
    };
    expect(await codeOf(world.call(key))).to.equal('auth_unavailable');
    expect(argon2Calls()).to.equal(3);
    world.during = {};
    await world.call(key);
  });

  it('takes a key of the previous pepper and gives it a tag of the new one', async () => {
    const { key, row } = world.addKey();
    const old = makeSecretTag(OLD_PEPPER, key).toString('hex');
    world.keys.set(row.publicId, { ...row, secretTag: old });
    await world.call(key);
    await until(() => world.renewals.length, { withinMs: 1_000, what: 'the renewal' });
    const secretTag = makeSecretTag(TEST_PEPPER, key);
    expect(world.renewals).to.deep.equal([[row.keyId, 1, { secretTag }]]);
  });
});
