import { expect } from 'chai';
import { makeSettlementRing } from '../../../lib/settlement/ring.ts';
import { sampleEntry } from '../../support/sample-request.ts';

describe('settlement/ring', () => {
  it('denies from full until half empty, and takes what already ran meanwhile', async () => {
    let away = true;
    let allowed = 0;
    const send = async (): Promise<void> => {
      await Promise.resolve();
      if (away && allowed === 0) throw new Error('away');
      allowed -= 1;
    };
    const ring = makeSettlementRing({ send, firstPauseMs: 1, lastPauseMs: 1 }, 4);
    for (let index = 0; index < 3; index += 1) ring.push(sampleEntry());
    expect(ring.isDenying()).to.equal(false);
    ring.push(sampleEntry());
    expect(ring.isDenying()).to.equal(true);
    ring.push(sampleEntry());
    expect(ring.length).to.equal(5);

    allowed = 2;
    expect(await ring.flush(50)).to.equal(3);
    expect(ring.isDenying(), 'three of four are more than half').to.equal(true);
    allowed = 1;
    expect(await ring.flush(50)).to.equal(2);
    expect(ring.isDenying()).to.equal(false);

    away = false;
    expect(await ring.flush(1_000)).to.equal(0);
    ring.close();
  });
});
