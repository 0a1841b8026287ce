import { readdir } from 'node:fs/promises';
import { expect } from 'chai';
import { KEYS } from '../../../lib/ledger/keys.ts';
import { defineScripts, loadScripts } from '../../../lib/ledger/scripts.ts';
import type { ScriptCommands } from '../../../lib/ledger/scripts.ts';
import { ROOT } from '../../../lib/root.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { loadMovableScripts, moveTime } from '../../support/movable-time.ts';
import { connectRedis, startOwnRedis, startTestRedis } from '../../support/test-redis.ts';

const EVENTS = KEYS.events(0);
const REVOKED_KEY = KEYS.revokedKey(0, 'k');
const REVOKED_TENANT = KEYS.revokedTenant(0, 't');
const NOW = 1_764_000_000_000;

describe('ledger/scripts', () => {
  let redis: Redis & ScriptCommands;

  before(async function () {
    this.timeout(30_000);
    redis = defineScripts(await connectRedis((await startTestRedis()).url), loadMovableScripts());
  });
  beforeEach(async () => {
    await redis.flushall();
    await moveTime(redis, EVENTS, NOW);
  });
  after(() => {
    redis.disconnect();
  });

  const admit = (deadlineMs: number, most: number): Promise<unknown> =>
    redis.nz_admit(EVENTS, REVOKED_KEY, REVOKED_TENANT, deadlineMs, most);

  it('has a file for each script and no other', async () => {
    const files = (await readdir(new URL('lib/ledger/lua/', ROOT))).filter((f) => /-\d/.test(f));
    const commands = loadScripts().map(
      (script) => `${script.command.slice(3)}-${script.numberOfKeys}.lua`,
    );
    expect(files.sort()).to.deep.equal(commands.sort());
  });

  it('tells its contract in the head of every file', () => {
    for (const { lua } of loadScripts()) {
      for (const word of ['-- KEYS ', '-- ARGV ', '-- Reply ']) expect(lua).to.contain(word);
    }
  });

  it('goes by Redis’s own clock in the product, whatever stands in the tests’ key', async () => {
    const product = defineScripts(redis.duplicate({ lazyConnect: true }));
    await product.connect();
    const [word, now] = (await product.nz_admit(EVENTS, REVOKED_KEY, REVOKED_TENANT, 0, 1)) as [
      string,
      number,
    ];
    const [seconds] = await redis.time();
    product.disconnect();
    expect(word).to.equal('ok');
    expect(now).not.to.equal(NOW);
    expect(Math.abs(now - Number(seconds) * 1_000)).to.be.below(5_000);
  });

  describe('admit', () => {
    it('admits up to and at the deadline, and not a millisecond later', async () => {
      expect(await admit(NOW + 1, 10)).to.deep.equal(['ok', NOW]);
      expect(await admit(NOW, 10)).to.deep.equal(['ok', NOW]);
      expect(await admit(NOW - 1, 10)).to.deep.equal(['late', NOW]);
      expect(await admit(0, 10), '0 is none').to.deep.equal(['ok', NOW]);
    });

    it('refuses a marked key and a marked tenant', async () => {
      await redis.set(REVOKED_KEY, '1');
      expect(await admit(0, 10)).to.deep.equal(['revoked']);
      await redis.del(REVOKED_KEY);
      await redis.set(REVOKED_TENANT, '1');
      expect(await admit(0, 10)).to.deep.equal(['revoked']);
    });

    it('refuses while the stream is full, and changes nothing', async () => {
      await redis.nz_settle(EVENTS, 'a');
      expect(await admit(0, 2)).to.deep.equal(['ok', NOW]);
      await redis.nz_settle(EVENTS, 'b');
      expect(await admit(0, 2)).to.deep.equal(['backlog', 2]);
      expect(await redis.xlen(EVENTS)).to.equal(2);
      expect(await redis.keys('*')).to.have.length(2);
    });

    it('says late before revoked, and revoked before backlog', async () => {
      await redis.set(REVOKED_KEY, '1');
      expect(await admit(NOW - 1, 0)).to.deep.equal(['late', NOW]);
      expect(await admit(NOW, 0)).to.deep.equal(['revoked']);
    });
  });

  describe('settle', () => {
    it('appends the entry as it is, in order', async () => {
      expect(await redis.nz_settle(EVENTS, '{"a":1}')).to.deep.equal(['ok', NOW]);
      await redis.nz_settle(EVENTS, '{"b":2}');
      const events = await redis.xrange(EVENTS, '-', '+');
      expect(events.map(([, fields]) => fields)).to.deep.equal([
        ['entry', '{"a":1}'],
        ['entry', '{"b":2}'],
      ]);
    });
  });

  it('refuses admissions and failures at the memory limit of Redis, never settlements', async function () {
    this.timeout(20_000);
    const own = await startOwnRedis({ appendOnly: false });
    const full = defineScripts(await connectRedis(own.url));
    try {
      await full.config('SET', 'maxmemory', '1');
      const admission = await full
        .nz_admit(EVENTS, REVOKED_KEY, REVOKED_TENANT, 0, 10)
        .catch((error: unknown) => String(error));
      expect(admission).to.contain('OOM');
      const failure = await full
        .nz_fail(KEYS.failures('192.0.2.1'), 'fail', 30, 60)
        .catch((error: unknown) => String(error));
      expect(failure).to.contain('OOM');
      expect(await full.nz_settle(EVENTS, '{}')).to.have.property('0', 'ok');
      expect(await full.xlen(EVENTS)).to.equal(1);
    } finally {
      full.disconnect();
      await own.remove();
    }
  });
});
