import { expect } from 'chai';
import { EntryRing } from '../../../lib/ledger/entry-ring.ts';
import type { Entry } from '../../../lib/ledger/entry.ts';
import { sampleEntry } from '../../support/sample-request.ts';
import { until } from '../../support/until.ts';

/** A far end that takes what it is told to take, and counts how much is on its way at once. */
class FarEnd {
  readonly taken: Entry[] = [];
  away = false;
  most = 0;
  #onWay = 0;

  readonly send = async (entry: Entry): Promise<void> => {
    this.#onWay += 1;
    this.most = Math.max(this.most, this.#onWay);
    await Promise.resolve();
    this.#onWay -= 1;
    if (this.away) throw new Error('away');
    this.taken.push(entry);
  };
}

function makeRing(far: FarEnd): EntryRing {
  return new EntryRing({ send: far.send, firstPauseMs: 1, lastPauseMs: 4 });
}

describe('ledger/entry-ring', () => {
  it('sends at once and forgets what was taken', async () => {
    const far = new FarEnd();
    const ring = makeRing(far);
    ring.push(sampleEntry());
    expect(ring.length).to.equal(1);
    expect(await ring.flush(1_000)).to.equal(0);
    expect(far.taken).to.have.length(1);
    expect(await ring.flush(1_000)).to.equal(0);
  });

  it('keeps everything while the far end is away and sends all of it afterwards', async () => {
    const far = new FarEnd();
    far.away = true;
    const ring = makeRing(far);
    for (let index = 0; index < 1_000; index += 1) ring.push(sampleEntry({ durationMs: index }));
    expect(await ring.flush(30)).to.equal(1_000);
    expect(far.taken).to.have.length(0);

    far.away = false;
    expect(await ring.flush(2_000)).to.equal(0);
    expect(new Set(far.taken.map((entry) => entry.durationMs)).size).to.equal(1_000);
    expect(far.taken).to.have.length(1_000);
  });

  it('tries with one entry while it does not know whether the far end is back', async () => {
    const far = new FarEnd();
    far.away = true;
    const ring = makeRing(far);
    for (let index = 0; index < 300; index += 1) ring.push(sampleEntry());
    await until(() => far.most === 256, { withinMs: 1_000, what: 'the first burst' });
    far.most = 0;
    expect(await ring.flush(20)).to.equal(300);
    expect(far.most).to.equal(1);
    ring.close();
  });

  it('lets a flush end when it is closed, and sends no more', async () => {
    const far = new FarEnd();
    far.away = true;
    const ring = makeRing(far);
    ring.push(sampleEntry());
    const flush = ring.flush(60_000);
    ring.close();
    expect(await flush).to.equal(1);
    far.away = false;
    ring.push(sampleEntry());
    expect(await ring.flush(60_000)).to.equal(2);
    expect(far.taken).to.have.length(0);
  });
});
