import { readFile, readdir } from 'node:fs/promises';
import { expect } from 'chai';
import { periodsAt } from '../../../lib/ledger/counter.ts';
import { KEYS } from '../../../lib/ledger/keys.ts';
import { defineScripts, loadScripts } from '../../../lib/ledger/scripts.ts';
import type { ScriptCommands } from '../../../lib/ledger/scripts.ts';
import { ROOT } from '../../../lib/root.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { flushAll, setConfig } from '../../support/every-node.ts';
import { loadMovableScripts, moveTime } from '../../support/movable-time.ts';
import { openTestLedger } from '../../support/open-admit.ts';
import { readyShard } from '../../support/ready-shard.ts';
import { KEY_ID, sampleAdmitRequest, sampleEntry } from '../../support/sample-request.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { startOwnRedis, startTestRedis } from '../../support/test-redis.ts';

const NOW = 1_764_000_000_000;
const DAY_MS = 86_400_000;
const CANCELLATION = (({ id, tenantId, keyId }) => ({ id, tenantId, keyId, shard: 0 }))(
  sampleAdmitRequest(),
);

describe('ledger/scripts', () => {
  let url: string;
  let redis: Redis & ScriptCommands;

  before(async function () {
    this.timeout(30_000);
    ({ url } = await startTestRedis());
    redis = defineScripts(await connectRedis(url), loadMovableScripts());
  });
  beforeEach(async () => {
    await flushAll(redis);
    await moveTime(redis, KEYS.life(0), NOW);
  });
  after(() => {
    redis.disconnect();
  });

  it('has a file for each script, and no file that no script stands on', async () => {
    const files = await readdir(new URL('lib/ledger/lua/', ROOT));
    const numbered = files.filter((file) => /-\d+\.lua$/.test(file));
    const names = loadScripts().map(({ name, numberOfKeys }) => `${name}-${numberOfKeys}.lua`);
    expect(numbered.sort()).to.deep.equal(names.sort());
    const texts = loadScripts().map(({ lua }) => lua);
    for (const piece of files.filter((file) => !numbered.includes(file))) {
      const text = await readFile(new URL(`lib/ledger/lua/${piece}`, ROOT), 'utf8');
      expect(
        texts.some((lua) => lua.includes(text)),
        piece,
      ).to.equal(true);
    }
  });

  it('tells its contract in the head of every file, after the line of its flags', () => {
    for (const { lua } of loadScripts()) {
      expect(lua).to.match(/^#!lua/);
      for (const word of ['-- KEYS ', '-- ARGV ', '-- Reply ']) expect(lua).to.contain(word);
    }
  });

  it('goes by Redis’s own clock in the product, whatever stands in the tests’ key', async () => {
    const own = defineScripts(await connectRedis(url));
    const [, now] = (await own.nz_own(KEYS.life(0), 'claim')) as [string, number];
    const [seconds] = await own.time();
    own.disconnect();
    expect(now).not.to.equal(NOW);
    expect(Math.abs(now - Number(seconds) * 1_000)).to.be.below(5_000);
  });

  it('knows the same days and months as the process, also far away ones', async () => {
    const shard = await readyShard(redis, 0, loadMovableScripts());
    const ledger = openTestLedger(redis, loadMovableScripts());
    const budget = { budgetTokens: 1_000, budgetPeriod: 'month' as const };
    const { keyLimits } = sampleAdmitRequest();
    const days = ['1970-01-01', '2024-02-29', '2026-12-31', '2028-03-01', '2099-12-31'];
    for (const ms of days.flatMap((day) => [Date.parse(day), Date.parse(day) + DAY_MS - 1])) {
      await moveTime(redis, KEYS.life(0), ms);
      await ledger.renew(0, [], 1_000);
      const request = sampleAdmitRequest({ keyLimits: { ...keyLimits, ...budget } });
      const { kind } = await ledger.admit(request);
      expect(kind).to.equal('fill');
      const tick = await shard.ledger.tick(shard.claim);
      const fills = tick === 'owner' ? [] : tick.fills;
      expect(fills).to.deep.equal([`k:${KEY_ID}|${periodsAt(ms).month}`]);
      await redis.del(KEYS.fills(0));
    }
  });

  it('adds exactly up to the largest budget that the schema allows', async () => {
    const most = 1_000_000_000_000_000;
    const shard = await readyShard(redis, 0, loadMovableScripts());
    const ledger = openTestLedger(redis, loadMovableScripts());
    const { keyLimits } = sampleAdmitRequest();
    const limits = { ...keyLimits, budgetTokens: most, budgetPeriod: 'total' as const };
    const request = sampleAdmitRequest({ keyLimits: limits, promptBoundTokens: 1, askedTokens: 9 });
    await shard.fill({ scope: `k:${KEY_ID}`, period: 't', tokens: most - 7 });
    const reply = await ledger.admit(request);
    expect(reply).to.include({ kind: 'ok', grantedTokens: 6, heldTokens: 7 });
    const refused = await ledger.admit(request);
    expect(refused).to.have.nested.property('key.budget', 'held');
    await ledger.settle(sampleEntry({ admittedAtMs: NOW, chargedTokens: 7 }));
    const seen = await ledger.admit(request);
    expect(seen).to.have.nested.property('usage.key.spentTokens', most);
    expect(seen).to.have.nested.property('key.budget', 'spent');
  });

  it('drops counters of days and months long over from a scope that goes on', async () => {
    const shard = await readyShard(redis, 0, loadMovableScripts());
    const scope = `k:${KEY_ID}` as const;
    const { day, month } = periodsAt(NOW);
    for (const period of [day, month, 't'] as const) {
      await shard.fill({ scope, period, tokens: 1 });
    }
    const names = async (): Promise<readonly string[]> =>
      (await redis.hkeys(KEYS.budget(0, scope))).filter((name) => name.endsWith('.life')).sort();
    for (const [days, kept] of [
      [7, [`${day}.life`, `${month}.life`, 't.life']],
      [8, [`${month}.life`, 't.life']],
      [80, ['t.life']],
    ] as const) {
      await moveTime(redis, KEYS.life(0), NOW + days * DAY_MS);
      await shard.fill({ scope, period: 't', tokens: 1 });
      expect(await names(), `after ${days} days`).to.deep.equal(kept);
    }
  });

  it('adds up a stream that is read in several parts', async function () {
    this.timeout(20_000);
    const shard = await readyShard(redis, 0, loadMovableScripts());
    const pipeline = Array.from({ length: 2_001 }, (_, n) =>
      redis.nz_note(KEYS.events(0), KEY_ID, 'tenant', NOW, `${n}`, 1e6),
    );
    await Promise.all(pipeline);
    const entry = sampleEntry({ admittedAtMs: NOW, chargedTokens: 3 });
    await openTestLedger(redis, loadMovableScripts()).settle(entry);
    await redis.xadd(KEYS.events(0), '*', 'not', 'ours');
    const counter = { scope: `k:${KEY_ID}`, period: 't' } as const;
    await shard.fill({ ...counter, tokens: 2 });
    expect(await redis.hget(KEYS.budget(0, counter.scope), 't.spent')).to.equal('5');
  });

  it('fills nothing and forgets no wish when it is only to compare', async () => {
    const shard = await readyShard(redis, 0, loadMovableScripts());
    const wish = `k:${KEY_ID}|t`;
    await redis.sadd(KEYS.fills(0), wish);
    const sums = [{ scope: `k:${KEY_ID}`, period: 't', tokens: 2 }] as const;
    expect(await shard.ledger.fill(shard, sums, 'compare')).to.deep.equal([]);
    expect(await redis.smembers(KEYS.fills(0))).to.deep.equal([wish]);
    expect(await redis.exists(KEYS.budget(0, `k:${KEY_ID}`))).to.equal(0);
  });

  it('refuses admissions and failures at the memory limit of Redis, nothing of what ends them', async function () {
    this.timeout(20_000);
    const own = await startOwnRedis({ appendOnly: false });
    const full = defineScripts(await connectRedis(own.url));
    try {
      const shard = await readyShard(full, 0);
      const ledger = openTestLedger(full);
      const reply = await ledger.admit(sampleAdmitRequest());
      if (reply.kind !== 'ok') throw new Error(reply.kind);
      await setConfig(full, 'maxmemory', '1');

      const refused = await ledger.admit(sampleAdmitRequest()).catch((error: unknown) => error);
      expect(refused).to.have.property('name', 'NoAnswerError');
      const failure = await full
        .nz_fail(KEYS.failures('192.0.2.1'), 'fail', 30, 60)
        .catch((error: unknown) => String(error));
      expect(failure).to.contain('OOM');

      const running = [{ hold: reply.hold, promptTokens: 1, completionTokens: 2 }];
      expect(await ledger.renew(0, running, 1_000)).to.deep.include({ unknown: [] });
      await ledger.rehold(0, running);
      await ledger.settle(sampleEntry({ admittedAtMs: reply.nowMs }));
      await ledger.note(sampleEntry());
      expect(await ledger.cancel({ ...CANCELLATION, deadlineMs: 0 })).to.equal(true);
      expect(await shard.ledger.reap(shard.claim, 100)).to.equal(0);
      expect(await shard.ledger.reapExit('a-worker', 100)).to.equal(0);
      await shard.fill({ scope: `k:${KEY_ID}`, period: 't', tokens: 1 });
      expect(await full.xlen(KEYS.events(0))).to.equal(2);
    } finally {
      full.disconnect();
      await own.remove();
    }
  });
});
