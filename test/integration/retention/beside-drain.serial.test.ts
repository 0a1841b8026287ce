import { expect } from 'chai';
import { storeEvents } from '../../../lib/audit/store-events.ts';
import { encodeEntry } from '../../../lib/ledger/entry-codec.ts';
import { sweep } from '../../../lib/retention/sweep.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { openRetentionWorld } from '../../support/retention-world.ts';
import type { Account, RetentionWorld } from '../../support/retention-world.ts';
import { sampleEntry } from '../../support/sample-request.ts';
import { until } from '../../support/until.ts';

/** Half a second behind a lock that is waited for, and as much again for a machine that is busy. */
const LONGEST_MS = 1_500;

describe('retention: a sweep beside the drain', function () {
  this.timeout(60_000);
  let world: RetentionWorld;
  let account: Account;

  beforeEach(async () => {
    world = await openRetentionWorld();
    account = await world.makeAccount(1);
    await world.makeAccount(30);
  });
  afterEach(() => world.close());

  /** Stores an entry of today, again and again, until that is over; how long the longest took. */
  async function drainUntil(
    over: Promise<unknown>,
  ): Promise<{ stored: number; longestMs: number }> {
    const drain = world.makeRuntimeClient();
    await drain.connect();
    const ending = { isOver: false };
    const noted = over.finally(() => {
      ending.isOver = true;
    });
    let stored = 0;
    let longestMs = 0;
    while (!ending.isOver) {
      const startMs = systemClock.monotonicMs();
      const id = `01980000-0000-7000-8000-${String(stored).padStart(12, '0')}`;
      const entry = sampleEntry({ id, admittedAtMs: systemClock.wallMs(), ...account });
      await storeEvents(drain, 0, [{ streamId: '1-0', entry, text: encodeEntry(entry) }]);
      longestMs = Math.max(longestMs, systemClock.monotonicMs() - startMs);
      stored += 1;
    }
    await noted;
    await drain.end();
    return { stored, longestMs };
  }

  const sweepNow = (): ReturnType<typeof sweep> =>
    sweep(world.client, { wallDay: world.day(0), mayGoOn: () => true });

  /** A store that takes long, or autovacuum, may be in the way of a drop for half a second. */
  async function sweepToTheEnd(): Promise<{ auditRows: number; dropped: string[] }> {
    const all = { auditRows: 0, dropped: new Array<string>() };
    await until(
      async () => {
        const { finished, auditRows, dropped } = await sweepNow();
        all.auditRows += auditRows;
        all.dropped.push(...dropped);
        return finished;
      },
      { withinMs: 20_000, what: 'a whole sweep' },
    );
    return all;
  }

  it('holds it up for no longer than a lock may be waited for, while somebody reads all days', async () => {
    await world.addRows(account, 0);
    await sweepNow();
    for (const ago of [31, 32, 33, 34]) await world.addRows(account, ago);
    await world.sql.query('begin');
    await world.sql.query('select count(*) from gateway.audit_log');
    const sweeping = sweepNow();
    const { stored, longestMs } = await drainUntil(sweeping);
    await world.sql.query('commit');
    expect((await sweeping).postponed).to.have.length(4);
    expect(stored).to.be.at.least(3);
    expect(longestMs).to.be.below(LONGEST_MS);
    expect((await sweepNow()).dropped).to.have.length(4);
    expect((await world.readRows(account))[0]).to.equal(`0:${stored + 1}`);
  });

  it('does not hold it up while it deletes many rows, and no row is lost of either', async () => {
    await world.addRows(account, 0);
    await sweepNow();
    await world.addRows(account, 5, 20_000);
    await world.addRows(account, 31, 20_000);
    const sweeping = sweepToTheEnd();
    const { stored, longestMs } = await drainUntil(sweeping);
    expect(await sweeping).to.deep.equal({ auditRows: 20_000, dropped: [world.day(31)] });
    expect(stored).to.be.above(3);
    expect(longestMs).to.be.below(LONGEST_MS);
    expect(await world.readRows(account)).to.deep.equal([`0:${stored + 1}`]);
    const ledger = await world.readLedger(account);
    expect(ledger).to.deep.equal([`0:${3 + stored * 46}`, '5:60000 sealed', '31:60000 sealed']);
  });
});
