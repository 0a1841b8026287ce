import { expect } from 'chai';
import { makeRefusalRing } from '../../../lib/audit/refusal-ring.ts';
import { sampleEntry } from '../../support/sample-request.ts';

describe('audit/refusal-ring', () => {
  it('drops and counts what is beyond its capacity, and sends the rest', async () => {
    let away = true;
    let dropped = 0;
    let taken = 0;
    const send = async (): Promise<void> => {
      await Promise.resolve();
      if (away) throw new Error('away');
      taken += 1;
    };
    const onDropped = (): void => {
      dropped += 1;
    };
    const ring = makeRefusalRing({ send, firstPauseMs: 1, lastPauseMs: 1, onDropped }, 3);
    for (let index = 0; index < 5; index += 1) ring.push(sampleEntry());
    expect(ring.length).to.equal(3);
    expect(dropped).to.equal(2);

    away = false;
    expect(await ring.flush(1_000)).to.equal(0);
    expect(taken).to.equal(3);
    ring.close();
  });
});
