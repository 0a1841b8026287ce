import { expect } from 'chai';
import { ByteBudget } from '../../../lib/memory/byte-budget.ts';
import { JsonText } from '../../../lib/relay/json-text.ts';
import { ReplyMemory } from '../../../lib/relay/reply-memory.ts';
import { Segments } from '../../../lib/relay/segments.ts';

describe('relay/reply-memory', () => {
  let budget: ByteBudget;
  let close: () => void;
  let memory: ReplyMemory;

  beforeEach(() => {
    budget = new ByteBudget(100_000, 100_000);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    close = () => {
      resolve(undefined);
    };
    memory = new ReplyMemory(budget, { ownerId: 'acme', closed: promise });
  });

  it('refuses what there is no room for, and gives all back at the close', async () => {
    memory.hold(60_000);
    expect(() => {
      memory.hold(60_000);
    }).to.throw('Too many large replies');
    expect(budget.heldBytes).to.equal(60_000);
    memory.resize(10);
    expect(budget.heldBytes).to.equal(10);
    memory.resize(20);
    close();
    await Promise.resolve();
    expect(budget.heldBytes).to.equal(0);
  });

  it('gives nothing back while something still works on it', async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    memory.hold(50_000);
    const worked = memory.during(promise);
    close();
    await Promise.resolve();
    expect(budget.heldBytes).to.equal(50_000);
    resolve(7);
    expect(await worked).to.equal(7);
    expect(budget.heldBytes).to.equal(0);
  });

  it('takes nothing after the close, when nobody would give it back', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    memory.hold(50_000);
    const worked = memory.during(promise);
    close();
    await Promise.resolve();
    resolve(undefined);
    await worked;
    for (const act of [
      () => {
        memory.hold(1);
      },
      () => {
        memory.resize(10);
      },
    ]) {
      expect(act).to.throw('Too many large replies');
    }
    memory.drop(50_000);
    expect(budget.heldBytes).to.equal(0);
  });

  it('keeps chunks of any size in few buffers, and moves them out in order', () => {
    const segments = new Segments(50_000, memory);
    expect(segments.readTail(10)).to.have.length(0);
    const chunk = Buffer.from('0123456');
    let text = '';
    for (let i = 0; i < 5_000; i += 1) {
      segments.add(chunk);
      text += '0123456';
    }
    expect(segments.bytes).to.equal(35_000);
    expect(budget.heldBytes).to.equal(50_000);
    expect(segments.readTail(64).toString()).to.equal(text.slice(-64));
    const taken = segments.take();
    expect(taken).to.have.length(3);
    expect(Buffer.concat(taken).toString()).to.equal(text);
    expect(segments.take()).to.deep.equal([]);
  });

  it('reads a tail that lies in two buffers, and bounds the whole', () => {
    const segments = new Segments(20_000, memory);
    segments.add(Buffer.alloc(16_384, 'a'));
    segments.add(Buffer.from('bcd'));
    expect(segments.readTail(5).toString()).to.equal('aabcd');
    expect(() => {
      segments.add(Buffer.alloc(20_000));
    }).to.throw('more than was asked for');
  });

  it('joins JSON from text and bytes, with what stands between', () => {
    const list = new JsonText(memory, ',');
    list.add('');
    expect(list.empty).to.equal(true);
    for (const piece of ['1', '2', Buffer.from('3'), 'é'.repeat(10_000), '"x"']) list.add(piece);
    list.add('é'.repeat(10_000));
    list.add('6');
    const text = Buffer.concat(list.take()).toString();
    const long = 'é'.repeat(10_000);
    expect(text).to.equal(`1,2,3,${long},"x",${long},6`);
    expect(budget.heldBytes).to.equal(Buffer.byteLength(text));
  });
});
