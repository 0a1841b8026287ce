import { expect } from 'chai';
import { BodyCollector } from '../../../lib/http/body-collector.ts';
import { Reservation } from '../../../lib/http/reservation.ts';
import { ByteBudget } from '../../../lib/memory/byte-budget.ts';

const KIB = 1_024;
const text = (length: number): Buffer => Buffer.alloc(length, 'x');

describe('http/body-collector', () => {
  function collect(
    maxBytes: number,
    declaredBytes: number | null = null,
    memoryBytes = 64 * KIB * KIB,
  ): { memory: ByteBudget; collector: BodyCollector } {
    const memory = new ByteBudget(memoryBytes, memoryBytes);
    const limits = { maxBytes, declaredBytes };
    return { memory, collector: new BodyCollector(new Reservation(memory, 'acme'), limits) };
  }

  it('takes memory as bytes come, not as they are declared', () => {
    const { memory, collector } = collect(10_000_000, 10_000_000);
    expect(memory.heldBytes).to.equal(0);
    expect(collector.add(text(1))).to.equal(null);
    expect(memory.heldBytes).to.equal(4 * KIB);
    expect(collector.add(text(9_000))).to.equal(null);
    expect(memory.heldBytes).to.equal(9_001);
  });

  it('holds no more than was declared, or twice what came', () => {
    const { memory, collector } = collect(10_000_000, 5_000);
    collector.add(text(4_500));
    collector.add(text(10));
    expect(memory.heldBytes).to.equal(5_000);
    const large = collect(10_000_000);
    large.collector.add(text(3_000_000));
    expect(large.memory.heldBytes).to.be.within(3_000_000, 3_262_144);
  });

  it('keeps the order of bytes, however they come', () => {
    const sent = Buffer.from(Array.from({ length: 700_000 }, (_, index) => index % 251));
    for (const size of [1_000, 4_096, 65_536, 700_000]) {
      const { collector } = collect(1_000_000);
      for (let at = 0; at < sent.length; at += size) collector.add(sent.subarray(at, at + size));
      expect(collector.bytes).to.equal(sent.length);
      expect(Buffer.concat(collector.finish()).equals(sent), String(size)).to.equal(true);
    }
  });

  it('a body of one chunk is that chunk, not a copy, and nobody else’s to give away', () => {
    const { memory, collector } = collect(100, 5);
    const chunk = Buffer.from('hello');
    expect(collector.add(chunk)).to.equal(null);
    expect(collector.finish()[0]).to.equal(chunk);
    expect(collector.listOwned()).to.deep.equal([]);
    expect(memory.heldBytes).to.equal(5);
  });

  it('owns the buffers of its other pieces, so that they can move to a thread', () => {
    const { collector } = collect(200_000, 100_000);
    collector.add(text(60_000));
    collector.add(text(40_000));
    const owned = collector.listOwned();
    const pieces = collector.finish();
    expect(pieces.map(({ buffer }) => buffer)).to.deep.equal(owned);
    expect(owned.reduce((sum, { byteLength }) => sum + byteLength, 0)).to.equal(100_000);
  });

  it('is refused where the memory has no room, in pieces or in one', () => {
    const grown = collect(100_000, null, 10_000);
    expect(grown.collector.add(text(8_000))).to.equal(null);
    expect(grown.collector.add(text(3_000))?.code).to.equal('overloaded');
    const single = collect(100_000, 10_001, 10_000);
    expect(single.collector.add(text(10_001))?.code).to.equal('overloaded');
    expect(single.memory.heldBytes).to.equal(0);
  });

  it('nothing above the limit of one body is kept, nor above what was declared', () => {
    const { collector } = collect(100);
    expect(collector.add(text(100))).to.equal(null);
    expect(collector.add(text(1))?.code).to.equal('request_too_large');
    expect(collect(100, 10).collector.add(text(11))?.code).to.equal('request_too_large');
  });
});
