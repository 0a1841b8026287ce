import { expect } from 'chai';
import { readEarlierMs } from '../../../lib/retention/read-earlier-ms.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { startTestRedis } from '../../support/test-redis.ts';

const DAY_MS = 86_400_000;

describe('retention/read-earlier-ms', function () {
  this.timeout(60_000);
  let redis: Redis;

  before(async () => {
    redis = await connectRedis((await startTestRedis()).url);
  });
  after(() => {
    redis.disconnect();
  });

  it('goes by Redis’s clock where this host’s is ahead of it, else by this host’s', async () => {
    const nowMs = Date.now();
    const ahead = await readEarlierMs(redis, { wallMs: () => nowMs + 3 * DAY_MS });
    expect(ahead).to.be.closeTo(nowMs, 10_000);
    const behind = await readEarlierMs(redis, { wallMs: () => nowMs - 3 * DAY_MS });
    expect(behind).to.equal(nowMs - 3 * DAY_MS);
  });

  it('knows no time where Redis does not answer', async () => {
    const away = await connectRedis((await startTestRedis()).url);
    away.disconnect();
    const error = await readEarlierMs(away, { wallMs: () => 0 }).catch((caught: unknown) => caught);
    expect(error).to.be.an('error');
  });
});
