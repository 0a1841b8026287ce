import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { ByteBudget } from '../../../lib/memory/byte-budget.ts';
import { LargeReplies } from '../../../lib/relay/large-replies.ts';
import type { RunReplyTask } from '../../../lib/relay/large-replies.ts';
import { ReplyMemory } from '../../../lib/relay/reply-memory.ts';

const LINE = new Uint8Array(1);
const NEVER = new Promise<void>(() => undefined);
const MEMORY = new ReplyMemory(new ByteBudget(1_000, 1_000), { ownerId: 'acme', closed: NEVER });

const EMBED = { dialect: 'native', route: 'embed', inputs: 1 } as const;

describe('relay/large-replies', () => {
  it('lets so many wait for the threads, in order, and refuses those beyond', async () => {
    const running: (() => void)[] = [];
    const order: number[] = [];
    const run: RunReplyTask = () =>
      new Promise((resolve) => {
        running.push(() => {
          resolve(null);
        });
      });
    const large = new LargeReplies(run);
    const asked = Array.from({ length: 68 }, async (_, n) => {
      await large.readFacts(LINE, MEMORY);
      order.push(n);
    });
    const settled = Promise.allSettled(asked);
    await turn();
    while (running.length > 0) {
      expect(running.length).to.be.at.most(2);
      running.shift()?.();
      await turn();
    }
    const refused = (await settled).filter((one) => one.status === 'rejected');
    expect(order).to.deep.equal(Array.from({ length: 66 }, (_, n) => n));
    expect(refused).to.have.length(2);
    for (const { reason } of refused) {
      expect(reason).to.deep.include({ code: 'overloaded', details: { retryAfterMs: 1_000 } });
    }
  });

  it('goes on after a task whose thread died', async () => {
    let died = false;
    const large = new LargeReplies(() => {
      if (died) return Promise.resolve(null);
      died = true;
      return Promise.reject(new Error('the thread is gone'));
    });
    const first = large.takeApart(LINE, MEMORY).catch((error: unknown) => error);
    expect(await first).to.include({ code: 'overloaded' });
    expect(await large.rebuildEmbed(EMBED, [LINE])).to.equal(null);
  });

  it('copies a line when it has its place, and only if there is memory for it', async () => {
    const budget = new ByteBudget(250, 250);
    const memory = new ReplyMemory(budget, { ownerId: 'acme', closed: NEVER });
    const held: number[] = [];
    const { promise, resolve } = Promise.withResolvers<null>();
    const large = new LargeReplies(() => {
      held.push(budget.heldBytes);
      return promise;
    });
    const line = new Uint8Array(100);
    const asked = [1, 2, 3].map(() => large.readFacts(line, memory));
    await turn();
    expect(held).to.deep.equal([100, 200]);
    const refused = large.takeApart(new Uint8Array(300), memory).catch((error: unknown) => error);
    resolve(null);
    expect(await Promise.all(asked)).to.deep.equal([null, null, null]);
    expect(await refused).to.include({ code: 'overloaded' });
    expect(budget.heldBytes).to.equal(0);
    expect(line.length).to.equal(100);
  });

  it('moves what it was given to the thread', async () => {
    const moved: number[] = [];
    const large = new LargeReplies((_task, transfer) => {
      for (const { byteLength } of transfer) moved.push(byteLength);
      return Promise.resolve(null);
    });
    const halves = [new Uint8Array(10), new Uint8Array(20).subarray(0, 5)];
    await large.rebuildEmbed(EMBED, halves);
    await large.rebuildEmbed(EMBED, [new Uint8Array(new SharedArrayBuffer(3))]);
    expect(moved).to.deep.equal([10, 20]);
  });
});
