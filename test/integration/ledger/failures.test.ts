import { expect } from 'chai';
import fc from 'fast-check';
import { openFailures } from '../../../lib/ledger/failures.ts';
import type { Failures } from '../../../lib/ledger/failures.ts';
import { KEYS } from '../../../lib/ledger/keys.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { flushAll, listKeys } from '../../support/every-node.ts';
import { loadMovableScripts, moveTime } from '../../support/movable-time.ts';
import { readSeed } from '../../support/rounds.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { startTestRedis } from '../../support/test-redis.ts';

const ADDRESS = '192.0.2.1';
const START = 1_764_000_000_000;

describe('ledger/failures', () => {
  let redis: Redis;
  before(async function () {
    this.timeout(30_000);
    redis = await connectRedis((await startTestRedis()).url);
  });
  beforeEach(() => flushAll(redis));
  after(() => {
    redis.disconnect();
  });

  const at = (nowMs: number): Promise<void> => moveTime(redis, KEYS.failures(ADDRESS), nowMs);
  const open = (perMinute: number, burst: number): Failures =>
    openFailures(redis, { perMinute, burst }, loadMovableScripts());

  it('lets the burst pass, then one failure for each interval', async () => {
    const failures = open(30, 60);
    await at(START);
    for (let count = 0; count < 60; count += 1) {
      expect(await failures.check(ADDRESS)).to.equal(0);
      await failures.fail(ADDRESS);
    }
    expect(await failures.check(ADDRESS)).to.equal(2_000);
    await at(START + 1_999);
    expect(await failures.check(ADDRESS)).to.equal(1);
    await at(START + 2_000);
    expect(await failures.check(ADDRESS)).to.equal(0);
    expect(await failures.fail(ADDRESS)).to.equal(2_000);
  });

  it('changes nothing by asking', async () => {
    const failures = open(30, 60);
    for (let count = 0; count < 100; count += 1) expect(await failures.check(ADDRESS)).to.equal(0);
    expect(await listKeys(redis, '*')).to.have.length(0);
  });

  it('keeps each address apart and forgets it when it is clean again', async () => {
    const failures = openFailures(redis, { perMinute: 30, burst: 60 });
    await failures.fail(ADDRESS);
    await failures.fail(ADDRESS);
    const ttlMs = await redis.pttl(KEYS.failures(ADDRESS));
    expect(ttlMs).to.be.within(3_000, 4_000);
    expect(await redis.exists(KEYS.failures('192.0.2.2'))).to.equal(0);
  });

  it('makes attempts that ran side by side pay for each other, but not for ever', async () => {
    const failures = open(60, 5);
    await at(START);
    for (let count = 0; count < 7; count += 1) await failures.fail(ADDRESS);
    expect(await failures.check(ADDRESS), 'two beyond the burst').to.equal(3_000);
    for (let count = 0; count < 100; count += 1) await failures.fail(ADDRESS);
    expect(await failures.check(ADDRESS), 'twice the burst at most').to.equal(6_000);
  });

  it('never lets more pass in any time than the burst and the rate of that time', async function () {
    this.timeout(60_000);
    const limits = fc.record({
      perMinute: fc.integer({ min: 1, max: 240 }),
      burst: fc.integer({ min: 1, max: 20 }),
      gapsMs: fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 30, maxLength: 80 }),
    });
    const property = fc.asyncProperty(limits, async ({ perMinute, burst, gapsMs }) => {
      await flushAll(redis);
      const failures = open(perMinute, burst);
      const passedAt: number[] = [];
      let nowMs = START;
      for (const gapMs of gapsMs) {
        nowMs += gapMs;
        await at(nowMs);
        if ((await failures.check(ADDRESS)) > 0) continue;
        await failures.fail(ADDRESS);
        passedAt.push(nowMs);
      }
      for (const [first, fromMs] of passedAt.entries()) {
        for (const [more, toMs] of passedAt.slice(first).entries()) {
          const most = burst + ((toMs - fromMs) * perMinute) / 60_000;
          expect(more + 1, `within ${toMs - fromMs} ms`).to.be.at.most(Math.floor(most + 1e-9));
        }
      }
    });
    await fc.assert(property, { numRuns: 40, seed: readSeed() });
  });
});
