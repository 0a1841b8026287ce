import { expect } from 'chai';
import { DueCancellations } from '../../../lib/settlement/due-cancellations.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { FarLedger, sampleCancellation } from '../../support/far-ledger.ts';
import { until } from '../../support/until.ts';

function open(ledger: FarLedger): { due: DueCancellations; ids: string[] } {
  const ids: string[] = [];
  const parts = {
    ledger,
    clock: systemClock,
    onDue: ({ id }: { id: string }) => void ids.push(id),
  };
  return { due: new DueCancellations(parts), ids };
}

describe('settlement/due-cancellations', () => {
  it('gives each when its deadline has passed for Redis', async () => {
    const ledger = new FarLedger();
    const startedAtMs = systemClock.monotonicMs();
    ledger.estimateTimeMs = () => systemClock.monotonicMs() - startedAtMs;
    const { due, ids } = open(ledger);
    due.add(sampleCancellation({ id: 'past', deadlineMs: -1 }));
    due.add(sampleCancellation({ id: 'soon', deadlineMs: 60 }));
    expect(ids).to.deep.equal(['past']);
    await until(() => ids.length === 2, { withinMs: 2_000, what: 'the second to be due' });
    expect(systemClock.monotonicMs() - startedAtMs).to.be.at.least(60);
    due.close();
  });

  it('waits while the time of its Redis is not known', async () => {
    const ledger = new FarLedger();
    ledger.timeMs = null;
    const { due, ids } = open(ledger);
    due.add(sampleCancellation({ deadlineMs: -1 }));
    expect(ids).to.have.length(0);
    ledger.timeMs = 0;
    await until(() => ids.length === 1, { withinMs: 2_000, what: 'it to be due' });
    due.close();
  });

  it('lets one that Redis found too early wait for 200 ms', async () => {
    const { due, ids } = open(new FarLedger());
    const startedAtMs = systemClock.monotonicMs();
    due.addAgain(sampleCancellation({ deadlineMs: -1 }));
    await until(() => ids.length === 1, { withinMs: 2_000, what: 'it to be due again' });
    expect(systemClock.monotonicMs() - startedAtMs).to.be.at.least(198);
    due.close();
  });

  it('gives nothing more once it is closed', () => {
    const ledger = new FarLedger();
    const { due, ids } = open(ledger);
    due.add(sampleCancellation({ deadlineMs: 10_000 }));
    due.close();
    due.add(sampleCancellation({ deadlineMs: -1 }));
    expect(ids).to.have.length(0);
  });
});
