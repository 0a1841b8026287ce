import { expect } from 'chai';
import { SettlementRing } from '../../../lib/settlement/ring.ts';
import { FarLedger, makeHandClock, sampleCancellation } from '../../support/far-ledger.ts';
import { sampleEntry } from '../../support/sample-request.ts';
import { until } from '../../support/until.ts';

const OTHER_TENANT = '22222222-2222-4222-8222-222222222222';

interface World {
  readonly ledger: FarLedger;
  readonly clock: ReturnType<typeof makeHandClock>;
  readonly done: string[];
  readonly ring: SettlementRing;
}

function open(capacity = 4): World {
  const ledger = new FarLedger();
  const clock = makeHandClock();
  const done: string[] = [];
  const ring = new SettlementRing({
    ledger,
    clock,
    capacity,
    onSettled: (shard, id) => void done.push(`${shard}:${id}`),
    firstPauseMs: 1,
    lastPauseMs: 1,
  });
  return { ledger, clock, done, ring };
}

const settle = (ring: SettlementRing, count: number): void => {
  for (let number = 0; number < count; number += 1) ring.settle(sampleEntry({ id: `${number}` }));
};

describe('settlement/ring', () => {
  it('sends at once, says who is settled, and keeps what was acknowledged', async () => {
    const { ledger, ring, done } = open();
    ring.settle(sampleEntry({ id: 'a' }));
    ring.settle(sampleEntry({ id: 'b', tenantId: OTHER_TENANT }));
    expect(ledger.calls).to.deep.equal(['settle', 'settle']);
    expect(ring.length).to.equal(2);
    expect(await ring.flush(1_000)).to.equal(0);
    expect(done).to.have.members(['0:a', '1:b']);
    expect(ring.keptCount).to.equal(2);
    expect([ring.hasAny(0), ring.hasAny(1), ring.hasAny(2)]).to.deep.equal([true, true, false]);
    ring.close();
  });

  it('denies from full until half empty, and takes what already ran meanwhile', async () => {
    const { ledger, ring } = open();
    ledger.away = true;
    settle(ring, 3);
    expect(ring.isDenying()).to.equal(false);
    settle(ring, 1);
    expect(ring.isDenying()).to.equal(true);
    settle(ring, 1);
    expect(ring.length).to.equal(5);

    ledger.allowed = 2;
    expect(await ring.flush(50)).to.equal(3);
    expect(ring.isDenying(), 'three of four are more than half').to.equal(true);
    ledger.allowed = 1;
    expect(await ring.flush(50)).to.equal(2);
    expect(ring.isDenying()).to.equal(false);

    ledger.away = false;
    expect(await ring.flush(1_000)).to.equal(0);
    ring.close();
  });

  it('what is only kept may be ten times as many', async () => {
    const { clock, ring } = open();
    settle(ring, 39);
    await ring.flush(1_000);
    expect(ring.isDenying()).to.equal(false);
    settle(ring, 1);
    await ring.flush(1_000);
    expect(ring.isDenying()).to.equal(true);
    ring.hear(0, { sentAtMs: 0, lifeId: 'life-1', current: true });
    await ring.flush(1_000);
    clock.nowMs = 20_000;
    ring.hear(0, { sentAtMs: 20_000, lifeId: 'life-1', current: true });
    expect(ring.keptCount).to.equal(0);
    expect(ring.isDenying()).to.equal(false);
    ring.close();
  });

  it('lets go in one life, and sends again in the next what was acknowledged before', async () => {
    const { ledger, clock, ring } = open();
    ring.hear(0, { sentAtMs: 0, lifeId: 'life-1', current: true });
    ring.settle(sampleEntry({ id: 'a' }));
    await ring.flush(1_000);
    clock.nowMs = 9_000;
    ring.settle(sampleEntry({ id: 'b' }));
    await ring.flush(1_000);

    ring.hear(0, { sentAtMs: 11_000, lifeId: 'life-1', current: true });
    expect(ring.keptCount, 'a cannot be forgotten any more').to.equal(1);
    ring.hear(0, { sentAtMs: 30_000, lifeId: 'life-1', current: false });
    expect(ring.keptCount).to.equal(1);
    clock.nowMs = 31_100;
    ring.hear(0, { sentAtMs: 31_000, lifeId: 'life-2', current: true });
    expect(ring.keptCount).to.equal(0);
    expect(ring.length).to.equal(1);
    await ring.flush(1_000);
    expect(ledger.settled.map(({ id }) => id)).to.deep.equal(['a', 'b', 'b']);
    ring.hear(0, { sentAtMs: 31_500, lifeId: 'life-2', current: true });
    expect(ring.length, 'it was sent in this life').to.equal(0);
    expect(ring.hasAny(0)).to.equal(true);
    ring.close();
  });

  it('what was sent before any life was known is sent once more', async () => {
    const { ledger, ring } = open();
    ring.settle(sampleEntry());
    await ring.flush(1_000);
    ring.hear(0, { sentAtMs: 0, lifeId: null, current: false });
    expect(ring.length).to.equal(0);
    ring.hear(0, { sentAtMs: 0, lifeId: 'life-1', current: true });
    await ring.flush(1_000);
    expect(ledger.settled).to.have.length(2);
    ring.close();
  });

  it('a cancellation waits for its deadline, comes again when it was early, and is kept too', async () => {
    const { ledger, ring, done, clock } = open();
    ring.cancel(sampleCancellation());
    expect(ring.length).to.equal(1);
    expect(ring.hasAny(0)).to.equal(true);
    expect(ledger.calls).to.deep.equal([]);

    ledger.early = true;
    ledger.timeMs = 1_001;
    await until(() => ledger.cancelled.length === 1, { withinMs: 2_000, what: 'it to be sent' });
    expect(ring.length).to.equal(1);
    ledger.early = false;
    clock.nowMs = 200;
    expect(await ring.flush(2_000)).to.equal(0);
    expect(ledger.cancelled).to.have.length(2);
    expect(done, 'it was never admitted').to.deep.equal([]);
    expect(ring.keptCount).to.equal(1);
    ring.hear(0, { sentAtMs: 300, lifeId: 'life-2', current: true });
    await ring.flush(1_000);
    expect(ledger.cancelled).to.have.length(3);
    ring.close();
  });

  it('sends at once when Redis is back, without waiting for the end of a pause', async () => {
    const ledger = new FarLedger();
    ledger.away = true;
    const ring = new SettlementRing({
      ledger,
      clock: makeHandClock(),
      capacity: 4,
      onSettled: () => undefined,
      firstPauseMs: 60_000,
      lastPauseMs: 60_000,
    });
    settle(ring, 3);
    expect(await ring.flush(20)).to.equal(3);
    ledger.away = false;
    ring.wake();
    expect(await ring.flush(1_000)).to.equal(0);
    ring.close();
  });

  it('lets a flush end when it is closed, and waits for nothing afterwards', async () => {
    const ledger = new FarLedger();
    ledger.away = true;
    const parts = { ledger, clock: makeHandClock(), capacity: 4, onSettled: () => undefined };
    const ring = new SettlementRing(parts);
    settle(ring, 1);
    const flush = ring.flush(60_000);
    ring.close();
    expect(await flush).to.equal(1);
    expect(await ring.flush(60_000)).to.equal(1);
  });
});
