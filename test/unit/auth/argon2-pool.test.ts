import { expect } from 'chai';
import { makeArgon2Pool } from '../../../lib/auth/argon2-pool.ts';
import { hashKey } from '../../../lib/auth/hash-key.ts';
import { ROOT } from '../../../lib/root.ts';
import { openThreadPool } from '../../../lib/threads/thread-pool.ts';
import type { ThreadPool } from '../../../lib/threads/thread-pool.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { refusalOf } from '../../support/auth-world.ts';
import { TEST_COST } from '../../support/seed-key.ts';

describe('auth/argon2-pool', function () {
  this.timeout(20_000);
  let threads: ThreadPool;

  beforeEach(() => {
    threads = openThreadPool({ entry: new URL('workers/argon2.ts', ROOT), maxQueue: 2 });
  });

  afterEach(() => threads.close());

  it('verifies and hashes in real threads', async () => {
    const pool = makeArgon2Pool(threads);
    const hash = await pool.hash('nz_key', TEST_COST);
    expect(hash).to.match(/^\$argon2id\$v=19\$m=8192,t=1,p=1\$/);
    expect(await pool.verify('nz_key', hash, Buffer.from('a'))).to.equal(true);
    expect(await pool.verify('nz_kex', hash, Buffer.from('b'))).to.equal(false);
  });

  it('says 503 for a stored hash that is none', async () => {
    const pool = makeArgon2Pool(threads);
    const refusal = await refusalOf(pool.verify('nz_key', '$argon2id$v=19$x', Buffer.from('a')));
    expect(refusal.code).to.equal('auth_unavailable');
  });

  it('says 503 for a hash that takes too long, and goes on with the next at once', async () => {
    const pool = makeArgon2Pool(threads, 100);
    const dear = await hashKey('nz_key', { memoryKib: 262_144, passes: 4, lanes: 1 });
    const hash = await hashKey('nz_key', TEST_COST);
    const startedAtMs = systemClock.monotonicMs();
    const refusal = await refusalOf(pool.verify('nz_key', dear, Buffer.from('a')));
    expect(refusal.code).to.equal('auth_unavailable');
    expect(systemClock.monotonicMs() - startedAtMs).to.be.below(1_000);
    const patient = makeArgon2Pool(threads);
    expect(await patient.verify('nz_key', hash, Buffer.from('b'))).to.equal(true);
  });

  it('refuses beyond its bound, and answers all that it took', async () => {
    const pool = makeArgon2Pool(threads);
    const hash = await hashKey('nz_key', { memoryKib: 32_768, passes: 2, lanes: 1 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, (_, index) => pool.verify('nz_key', hash, Buffer.from([index]))),
    );
    const answers = outcomes.map((outcome) =>
      outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as { code: string }).code,
    );
    expect(answers.filter((answer) => answer === true).length).to.be.within(2, 4);
    expect(answers.filter((answer) => answer === 'overloaded').length).to.be.at.least(8);
    expect(new Set(answers)).to.deep.equal(new Set([true, 'overloaded']));
  });

  it('makes one of verifications of one key at one time, and forgets it when it is done', async () => {
    let runs = 0;
    const pool = makeArgon2Pool({
      run: <T>(task: unknown) => {
        runs += 1;
        return threads.run<T>(task);
      },
    });
    const hash = await hashKey('nz_key', TEST_COST);
    const verify = (digest: string, phc = hash) => pool.verify('nz_key', phc, Buffer.from(digest));
    const answers = await Promise.all(Array.from({ length: 50 }, () => verify('a')));
    expect(new Set(answers)).to.deep.equal(new Set([true]));
    expect(runs).to.equal(1);
    await verify('a');
    expect(runs).to.equal(2);
    await Promise.all([verify('a'), verify('b'), verify('a', await hashKey('nz_key', TEST_COST))]);
    expect(runs).to.equal(5);
  });
});
