import { expect } from 'chai';
import { KeptItems } from '../../../lib/settlement/kept-items.ts';

const LIFE = { lifeId: 'a', current: true };

describe('settlement/kept-items', () => {
  it('keeps what was acknowledged until a renewal that was sent 10 s later', () => {
    const kept = new KeptItems<string>();
    kept.add('one', 'a', 1_000);
    expect(kept.hear({ ...LIFE, sentAtMs: 10_999 })).to.deep.equal([]);
    expect(kept.size).to.equal(1);
    expect(kept.hear({ ...LIFE, sentAtMs: 11_000 })).to.deep.equal([]);
    expect(kept.size).to.equal(0);
  });

  it('what is let go together waits for the youngest', () => {
    const kept = new KeptItems<string>();
    kept.add('one', 'a', 0);
    kept.add('two', 'a', 499);
    kept.add('three', 'a', 500);
    kept.hear({ ...LIFE, sentAtMs: 10_498 });
    expect(kept.size).to.equal(3);
    kept.hear({ ...LIFE, sentAtMs: 10_499 });
    expect(kept.size).to.equal(1);
  });

  it('gives everything of another life, however old, to be sent again', () => {
    const kept = new KeptItems<string>();
    kept.add('unknown', null, 0);
    kept.add('old', 'a', 0);
    kept.add('new', 'b', 0);
    expect(kept.hear({ lifeId: 'b', current: true, sentAtMs: 60_000 })).to.deep.equal([
      'unknown',
      'old',
    ]);
    expect(kept.size).to.equal(0);
  });

  it('concludes nothing from a life that is over, or from none', () => {
    const kept = new KeptItems<string>();
    kept.add('one', 'a', 0);
    for (const heard of [
      { lifeId: 'a', current: false },
      { lifeId: 'b', current: false },
      { lifeId: null, current: true },
    ]) {
      expect(kept.hear({ ...heard, sentAtMs: 60_000 })).to.deep.equal([]);
    }
    expect(kept.size).to.equal(1);
  });
});
