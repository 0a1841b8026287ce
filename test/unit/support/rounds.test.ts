import { expect } from 'chai';
import { rounds } from '../../support/rounds.ts';

describe('support/rounds', () => {
  it('gives each round a seed of its own, and the same seeds again within a run', () => {
    const first = rounds({ ci: 3, full: 3 });
    const second = rounds({ ci: 3, full: 3 });
    expect(new Set(first.map(({ seed }) => seed)).size).to.equal(3);
    expect(second.map(({ seed }) => seed)).to.deep.equal(first.map(({ seed }) => seed));
    expect(second[0]?.random()).to.equal(first[0]?.random());
  });

  it('draws numbers from 0 to below 1 that are spread over all of it', () => {
    const [round] = rounds({ ci: 1, full: 1 });
    const drawn = Array.from({ length: 1_000 }, () => round?.random() ?? NaN);
    for (const tenth of Array.from({ length: 10 }, (_, index) => index / 10)) {
      const within = drawn.filter((value) => value >= tenth && value < tenth + 0.1);
      expect(within.length, `from ${tenth}`).to.be.within(50, 150);
    }
  });
});
