import { expect } from 'chai';
import fc from 'fast-check';
import { ByteBudget } from '../../../lib/memory/byte-budget.ts';
import { LineSplitter } from '../../../lib/relay/line-splitter.ts';
import { ReplyMemory } from '../../../lib/relay/reply-memory.ts';

describe('relay/line-splitter', () => {
  const budget = new ByteBudget(2_000_000, 2_000_000);

  function open(maxLineBytes: number): LineSplitter {
    const closed = new Promise<void>(() => undefined);
    return new LineSplitter(maxLineBytes, new ReplyMemory(budget, { ownerId: 'acme', closed }));
  }

  it('passes a chunk of whole lines on as the same buffer', () => {
    const chunk = Buffer.from('{"a":1}\n{"b":2}\n');
    expect(open(100).push(chunk)).to.equal(chunk);
  });

  it('gives the same bytes in whole lines, wherever they were split', () => {
    const text = '{"a":"žlutý 🐎"}\n\n{"b":2}\n{"c":3}';
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length })), (cuts) => {
        const splitter = open(1_000);
        const ends = [...cuts.sort((a, b) => a - b), bytes.length];
        let start = 0;
        let seen = '';
        for (const end of ends) {
          const piece = splitter.push(Buffer.from(bytes.subarray(start, end)));
          if (piece) expect(piece.at(-1)).to.equal(0x0a);
          seen += piece?.toString() ?? '';
          start = end;
        }
        seen += splitter.takeRest()?.toString() ?? '';
        expect(seen).to.equal(text);
        expect(splitter.takeRest()).to.equal(null);
      }),
    );
  });

  it('bounds what waits for its newline', () => {
    const splitter = open(10);
    expect(splitter.push(Buffer.from('0123456789'))).to.equal(null);
    expect(() => splitter.push(Buffer.from('x'))).to.throw('line that is too long');
  });

  it('does not hand out what it writes over', () => {
    const splitter = open(1_000_000);
    splitter.push(Buffer.from('abc'));
    const first = splitter.push(Buffer.from('def\ng'));
    splitter.push(Buffer.alloc(100_000, 'x'));
    splitter.push(Buffer.from('\n'));
    expect(first?.toString()).to.equal('abcdef\n');
  });

  it('counts each large buffer, until the next one was handed out', () => {
    const before = budget.heldBytes;
    const splitter = open(1_000_000);
    const seen: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      splitter.push(Buffer.alloc(200_000, 'x'));
      seen.push(budget.heldBytes - before);
      splitter.push(Buffer.from('\n'));
    }
    expect(seen[0]).to.be.within(134_464, 200_000);
    expect(seen[1]).to.be.greaterThan(2 * 134_464);
    expect(seen[2]).to.equal(seen[1]);
  });
});
