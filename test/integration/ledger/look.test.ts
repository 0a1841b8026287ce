import { expect } from 'chai';
import { KEYS } from '../../../lib/ledger/keys.ts';
import { openShardLook } from '../../../lib/ledger/look.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { flushAll } from '../../support/every-node.ts';
import { startTestRedis } from '../../support/test-redis.ts';

describe('ledger/look', () => {
  let redis: Redis;
  before(async function () {
    this.timeout(30_000);
    redis = await connectRedis((await startTestRedis()).url);
  });
  beforeEach(() => flushAll(redis));
  after(() => {
    redis.disconnect();
  });

  it('passes over a hold that was settled, or gone, since its lease was read', async () => {
    await redis.zadd(KEYS.lapse(0), 1, 'settled', 2, 'gone', 3, 'live');
    await redis.set(KEYS.hold(0, 'settled'), 'settled');
    await redis.hset(KEYS.hold(0, 'live'), 'state', 'live', 'owners', 'k t', 'sizes', '5 6');
    const holds = await openShardLook(redis, 0).holds();
    expect(holds.map(({ id }) => id)).to.deep.equal(['live']);
    expect(holds[0]).to.include({ keyId: 'k', tenantId: 't', heldTokens: 5, admittedAtMs: 6 });
  });
});
