import { expect } from 'chai';
import { ByteBudget } from '../../../lib/memory/byte-budget.ts';

describe('memory/byte-budget', () => {
  it('gives what there is and nothing beyond it', () => {
    const budget = new ByteBudget(10, 10);
    expect(budget.take('a', 7)).to.equal(true);
    expect(budget.take('a', 4)).to.equal(false);
    expect(budget.heldBytes).to.equal(7);
    budget.give('a', 5);
    expect(budget.take('a', 8)).to.equal(true);
    expect(budget.heldBytes).to.equal(10);
  });

  it('keeps room for others from one owner, but for one holder of full size always', () => {
    const budget = new ByteBudget(100, 10);
    expect(budget.take('a', 26)).to.equal(false);
    expect(budget.take('a', 25)).to.equal(true);
    expect(budget.take('a', 1)).to.equal(false);
    expect(budget.take('b', 25)).to.equal(true);
    budget.give('a', 25);
    expect(budget.take('a', 25)).to.equal(true);
    expect(new ByteBudget(100, 60).take('a', 60)).to.equal(true);
  });
});
