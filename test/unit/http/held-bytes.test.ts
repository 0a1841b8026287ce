import { expect } from 'chai';
import { HeldBytes } from '../../../lib/http/held-bytes.ts';
import { Reservation } from '../../../lib/http/reservation.ts';
import { ByteBudget } from '../../../lib/memory/byte-budget.ts';

describe('http/held-bytes', () => {
  it('have their place in memory as long as they are there, and the rest after them', () => {
    const memory = new ByteBudget(100, 100);
    const held = new HeldBytes(new Uint8Array(50), new Reservation(memory, 'acme'), 7);
    expect(memory.heldBytes).to.equal(57);
    held.drop();
    expect(held.bytes).to.have.length(0);
    expect(memory.heldBytes).to.equal(7);
  });

  it('pass their place on to what was made of them', () => {
    const memory = new ByteBudget(100, 100);
    const first = new HeldBytes(new Uint8Array(50), new Reservation(memory, 'acme'), 7);
    const second = first.become(new Uint8Array(60));
    expect([first.bytes.length, second.bytes.length]).to.deep.equal([0, 60]);
    expect(memory.heldBytes).to.equal(67);
  });

  it('are refused where they have no room', () => {
    const memory = new ByteBudget(100, 100);
    const make = (): HeldBytes =>
      new HeldBytes(new Uint8Array(95), new Reservation(memory, 'acme'), 7);
    expect(make).to.throw().with.property('code', 'overloaded');
    const held = new HeldBytes(new Uint8Array(95), new Reservation(memory, 'acme'), 0);
    expect(() => held.become(new Uint8Array(101)))
      .to.throw()
      .with.property('code', 'overloaded');
    expect(held.bytes).to.have.length(95);
  });
});
