import { expect } from 'chai';
import { KEYS } from '../../../lib/ledger/keys.ts';
import type { Ledger } from '../../../lib/ledger/ledger.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { flushAll } from '../../support/every-node.ts';
import { loadMovableScripts, moveTime } from '../../support/movable-time.ts';
import { openTestLedger } from '../../support/open-admit.ts';
import { readyShard } from '../../support/ready-shard.ts';
import type { ReadyShard } from '../../support/ready-shard.ts';
import {
  ADMISSION_ID,
  KEY_ID,
  sampleAdmitRequest,
  sampleEntry,
  TENANT_ID,
} from '../../support/sample-request.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { startTestRedis } from '../../support/test-redis.ts';

const NOW = 1_764_000_000_000;
const KEY = `k:${KEY_ID}` as const;
const TENANT = `t:${TENANT_ID}` as const;
const ENTRY = sampleEntry({ admittedAtMs: NOW, chargedTokens: 46 });
const CANCELLATION = { id: ADMISSION_ID, shard: 0, keyId: KEY_ID, tenantId: TENANT_ID };

/** A hold of 140 tokens is reaped, each time; its worker then says what really became of it. */
describe('ledger: a settlement after the loss', () => {
  let redis: Redis;
  let shard: ReadyShard;
  let ledger: Ledger;

  before(async function () {
    this.timeout(30_000);
    redis = await connectRedis((await startTestRedis()).url);
  });
  beforeEach(async () => {
    await flushAll(redis);
    await moveTime(redis, KEYS.life(0), NOW);
    shard = await readyShard(redis, 0, loadMovableScripts());
    ledger = openTestLedger(redis, loadMovableScripts());
    await fill(0);
    await ledger.admit(sampleAdmitRequest());
    await moveTime(redis, KEYS.life(0), NOW + 30_000);
    expect(await shard.ledger.reap(shard.claim, 100)).to.equal(1);
  });
  after(() => {
    redis.disconnect();
  });

  const fill = async (tokens: number): Promise<void> => {
    await shard.fill(...[KEY, TENANT].map((scope) => ({ scope, period: 't' as const, tokens })));
  };
  const drain = async (): Promise<void> => {
    const events = await shard.ledger.events.read(10);
    await shard.ledger.events.remove(events.map(({ streamId }) => streamId));
  };
  const spent = async (): Promise<readonly (string | null)[]> =>
    Promise.all([KEY, TENANT].map((scope) => redis.hget(KEYS.budget(0, scope), 't.spent')));

  it('gives back at once what the loss was charged too much', async () => {
    expect(await spent()).to.deep.equal(['140', '140']);
    await ledger.settle(ENTRY);
    expect(await spent()).to.deep.equal(['46', '46']);
  });

  it('a cancel gives back all of it', async () => {
    expect(await ledger.cancel({ ...CANCELLATION, deadlineMs: NOW })).to.equal(true);
    expect(await spent()).to.deep.equal(['0', '0']);
  });

  // Redis was rolled back to before the settlement, which is in Postgres, and a worker that was cut off
  // sends it again. Postgres refused the loss, so that what was filled since never had its charge.
  it('takes no charge from a counter that never had it', async () => {
    await drain();
    await fill(46);
    await ledger.settle(ENTRY);
    expect(await spent()).to.deep.equal(['46', '46']);
  });

  it('nor does a cancel', async () => {
    await drain();
    await fill(0);
    expect(await ledger.cancel({ ...CANCELLATION, deadlineMs: NOW })).to.equal(true);
    expect(await spent()).to.deep.equal(['0', '0']);
  });

  it('asks that of each scope apart', async () => {
    await drain();
    await shard.fill({ scope: KEY, period: 't', tokens: 46 });
    await ledger.settle(ENTRY);
    expect(await spent()).to.deep.equal(['46', '46']);
  });

  it('adds what is more than the charge', async () => {
    await fill(0);
    await ledger.settle({ ...ENTRY, chargedTokens: 150 });
    expect(await spent()).to.deep.equal(['150', '150']);
  });
});
