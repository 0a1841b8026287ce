import { expect } from 'chai';
import { decodeEntry } from '../../../lib/ledger/entry-codec.ts';
import { openEventStream } from '../../../lib/ledger/event-stream.ts';
import { openLedger } from '../../../lib/ledger/ledger.ts';
import { makeSettlementRing } from '../../../lib/settlement/ring.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { sampleEntry } from '../../support/sample-request.ts';
import { connectRedis, startOwnRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

const makeId = (index: number): string =>
  `01980000-0000-7000-8000-${String(index).padStart(12, '0')}`;

describe('settlement/ring', () => {
  it('brings every entry to Redis across a Redis that is killed, away, and back', async function () {
    this.timeout(30_000);
    const own = await startOwnRedis({ settings: ['--appendfsync', 'always'] });
    const redis = await connectRedis(own.url);
    const ledger = openLedger(redis, { shards: 1, clock: systemClock });
    const ring = makeSettlementRing({ send: (entry) => ledger.settle(entry) }, 10);
    try {
      for (let index = 0; index < 5; index += 1) ring.push(sampleEntry({ id: makeId(index) }));
      expect(await ring.flush(2_000)).to.equal(0);

      process.kill(own.pid, 'SIGKILL');
      await until(() => redis.status !== 'ready', {
        withinMs: 2_000,
        what: 'the connection to end',
      });
      for (let index = 5; index < 15; index += 1) ring.push(sampleEntry({ id: makeId(index) }));
      expect(ring.isDenying()).to.equal(true);
      expect(await ring.flush(50)).to.equal(10);

      await own.restart();
      expect(await ring.flush(10_000)).to.equal(0);
      expect(ring.isDenying()).to.equal(false);

      const events = await openEventStream(redis, 0).read(100);
      const ids = new Set(events.map(({ text }) => decodeEntry(text)?.id));
      expect(ids.size).to.equal(15);
    } finally {
      ring.close();
      redis.disconnect();
      await own.remove();
    }
  });
});
