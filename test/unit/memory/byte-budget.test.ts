import { expect } from 'chai';
import { ByteBudget } from '../../../lib/memory/byte-budget.ts';

describe('memory/byte-budget', () => {
  it('gives what there is and nothing beyond it', () => {
    const budget = new ByteBudget(10);
    expect(budget.take(7)).to.equal(true);
    expect(budget.take(4)).to.equal(false);
    expect(budget.heldBytes).to.equal(7);
    budget.give(5);
    expect(budget.take(8)).to.equal(true);
    expect(budget.heldBytes).to.equal(10);
  });
});
