import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { LargeReplies } from '../../../lib/relay/large-replies.ts';
import type { RunReplyTask } from '../../../lib/relay/large-replies.ts';

const LINE = new Uint8Array(1);

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
      await large.readFacts(LINE);
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
    const first = large.takeApart(LINE).catch((error: unknown) => error);
    expect(await first).to.include({ code: 'overloaded' });
    expect(await large.rebuildEmbed('embed', [LINE])).to.equal(null);
  });

  it('moves what it was given to the thread', async () => {
    const moved: number[] = [];
    const large = new LargeReplies((_task, transfer) => {
      for (const { byteLength } of transfer) moved.push(byteLength);
      return Promise.resolve(null);
    });
    const halves = [new Uint8Array(10), new Uint8Array(20).subarray(0, 5)];
    await large.rebuildEmbed('embed', halves);
    await large.readFacts(new Uint8Array(new SharedArrayBuffer(3)));
    expect(moved).to.deep.equal([10, 20]);
  });
});
