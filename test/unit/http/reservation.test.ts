import { expect } from 'chai';
import { Reservation } from '../../../lib/http/reservation.ts';
import { ByteBudget } from '../../../lib/memory/byte-budget.ts';

describe('http/reservation', () => {
  it('counts what reservations hold, as they grow and shrink, and gives it back once', () => {
    const memory = new ByteBudget(1_000, 1_000);
    const reservation = new Reservation(memory, 'a');
    expect(memory.heldBytes).to.equal(0);
    expect(reservation.resize(600)).to.equal(true);
    expect(reservation.resize(200)).to.equal(true);
    expect([memory.heldBytes, reservation.bytes]).to.deep.equal([200, 200]);
    reservation.release();
    reservation.release();
    expect([memory.heldBytes, reservation.bytes]).to.deep.equal([0, 0]);
  });

  it('takes nothing where there is no room, nor after the end', () => {
    const memory = new ByteBudget(500, 500);
    const first = new Reservation(memory, 'a');
    expect(first.resize(400)).to.equal(true);
    const second = new Reservation(memory, 'a');
    expect(second.resize(101)).to.equal(false);
    expect(memory.heldBytes).to.equal(400);
    expect(second.resize(100)).to.equal(true);
    first.release();
    expect(first.resize(1)).to.equal(false);
    expect(memory.heldBytes).to.equal(100);
  });

  it('lets one owner have a quarter, so that others find room', () => {
    const memory = new ByteBudget(1_000, 100);
    const [one, two] = [new Reservation(memory, 'a'), new Reservation(memory, 'a')];
    expect(one.resize(200)).to.equal(true);
    expect(two.resize(51)).to.equal(false);
    expect(two.resize(50)).to.equal(true);
    expect(new Reservation(memory, 'b').resize(250)).to.equal(true);
    one.release();
    expect(two.resize(250)).to.equal(true);
    expect(memory.heldBytes).to.equal(500);
  });

  it('always has room for one body of an owner, however large a body may be', () => {
    const memory = new ByteBudget(1_000, 800);
    expect(new Reservation(memory, 'a').resize(800)).to.equal(true);
    expect(new Reservation(memory, 'a').resize(1)).to.equal(false);
  });
});
