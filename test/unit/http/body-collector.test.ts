import { expect } from 'chai';
import { BodyCollector } from '../../../lib/http/body-collector.ts';
import { BodyMemory } from '../../../lib/http/body-memory.ts';

const text = (length: number): Buffer => Buffer.alloc(length, 'x');

describe('http/body-collector', () => {
  it('takes the declared length from memory before a byte has come, and gives it back once', () => {
    const memory = new BodyMemory(1_000);
    const collector = new BodyCollector(memory, 1_000, 600);
    expect(memory.heldBytes).to.equal(600);
    collector.release();
    collector.release();
    expect(memory.heldBytes).to.equal(0);
  });

  it('is refused without having taken anything if there is no room', () => {
    const memory = new BodyMemory(500);
    expect(() => new BodyCollector(memory, 1_000, 600))
      .to.throw()
      .with.property('code', 'overloaded');
    expect(memory.heldBytes).to.equal(0);
  });

  it('a body of one chunk is that chunk, not a copy', () => {
    const collector = new BodyCollector(new BodyMemory(100), 100, 5);
    const chunk = Buffer.from('hello');
    expect(collector.add(chunk)).to.equal(null);
    expect(collector.finish()).to.equal(chunk);
  });

  it('small chunks are joined, large bodies are written into their place', () => {
    for (const length of [6, 100_000]) {
      const collector = new BodyCollector(new BodyMemory(200_000), 200_000, length);
      const whole = text(length - 3);
      expect(collector.add(whole)).to.equal(null);
      expect(collector.add(Buffer.from('end'))).to.equal(null);
      const bytes = collector.finish();
      expect(bytes.toString()).to.equal(`${whole.toString()}end`);
    }
  });

  it('a large body owns its buffer, so that it can move to a thread', () => {
    const collector = new BodyCollector(new BodyMemory(200_000), 200_000, 100_000);
    collector.add(text(100_000));
    const bytes = collector.finish();
    expect(bytes.buffer.byteLength).to.equal(100_000);
  });

  it('a body of unknown length takes memory as it grows', () => {
    const memory = new BodyMemory(50);
    const collector = new BodyCollector(memory, 100, null);
    expect(collector.add(text(30))).to.equal(null);
    expect(memory.heldBytes).to.equal(30);
    expect(collector.add(text(30))?.code).to.equal('overloaded');
    collector.release();
    expect(memory.heldBytes).to.equal(0);
  });

  it('nothing above the limit of one body is kept', () => {
    const collector = new BodyCollector(new BodyMemory(1_000), 100, null);
    expect(collector.add(text(100))).to.equal(null);
    expect(collector.add(text(1))?.code).to.equal('request_too_large');
  });
});
