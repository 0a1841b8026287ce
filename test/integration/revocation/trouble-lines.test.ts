import { expect } from 'chai';
import { makeTroubleLines } from '../../../lib/log/trouble-lines.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { recordLog } from '../../support/record-log.ts';
import { makeDatabase } from '../../support/test-postgres.ts';
import { startTrustWorld } from '../../support/trust-world.ts';
import { until } from '../../support/until.ts';

const WORDS = { lostEvent: 'lost', lost: 'lost', backEvent: 'back', back: 'back' };

describe('revocation: Postgres is away for long', function () {
  this.timeout(30_000);

  it('is told when it begins and when it ends, and not at each of the tries between', async () => {
    const database = await makeDatabase();
    const proxy = await startFaultProxy(database.url);
    const { log, lines } = recordLog();
    const trouble = makeTroubleLines(systemClock, log, WORDS);
    let troubles = 0;
    const world = await startTrustWorld(() => proxy.url, {
      onTrusted: trouble.works,
      onTrouble: (error) => {
        troubles += 1;
        trouble.failed(error);
      },
    });
    await world.loop.firstSnapshot;
    proxy.reset();
    await until(() => troubles >= 12, { withinMs: 10_000, what: 'a dozen tries' });
    proxy.pass();
    await world.untilTrusted(3_000);
    // The session that was lost, and those that are refused.
    const events = lines.map(({ event }) => event);
    expect(events.at(0)).to.equal('lost');
    expect(events.at(-1)).to.equal('back');
    expect(events.filter((event) => event === 'lost').length).to.be.within(1, 3);
    await world.stop();
    await proxy.close();
    await database.drop();
  });
});
