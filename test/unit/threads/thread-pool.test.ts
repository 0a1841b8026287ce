import { expect } from 'chai';
import {
  openThreadPool,
  PoolFullError,
  TaskTimeoutError,
} from '../../../lib/threads/thread-pool.ts';

const entry = new URL('../../fixtures/threads/slow-square.ts', import.meta.url);

describe('threads/thread-pool', () => {
  it('runs a task on a thread and gives its result back', async () => {
    const pool = openThreadPool({ entry, maxQueue: 2 });
    expect(await pool.run<number>({ n: 7, ms: 0 })).to.equal(49);
    await pool.close();
  });

  it('refuses beyond the bound instead of queueing without end', async () => {
    const pool = openThreadPool({ entry, maxQueue: 2 });
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => pool.run<number>({ n, ms: 20 })),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).to.be.within(7, 8);
    for (const { reason } of refused) expect(reason).to.be.instanceOf(PoolFullError);
    expect(pool.queued).to.equal(0);
    await pool.close();
  });

  it('keeps places beyond the bound for work that may not be refused', async () => {
    const pool = openThreadPool({ entry, maxQueue: 2 });
    const others = Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => pool.run<number>({ n, ms: 20 })),
    );
    expect(await pool.runReserved<number>({ n: 5, ms: 0 })).to.equal(25);
    await others;
    await pool.close();
  });

  it('moves what a task gives back where the task says so', async () => {
    const moved = new URL('../../fixtures/threads/moved-bytes.ts', import.meta.url);
    const pool = openThreadPool({ entry: moved, maxQueue: 2 });
    const result = await pool.run<{ bytes: Uint8Array }>({ length: 100_000 });
    expect(result.bytes).to.have.length(100_000);
    await pool.close();
  });

  it('ends the thread of a task that takes too long, and runs what waited behind it', async () => {
    const pool = openThreadPool({ entry, maxQueue: 4 });
    const long = pool.run<number>({ n: 1, ms: 60_000 }, [], 300);
    const behind = [2, 3].map((n) => pool.run<number>({ n, ms: 0 }, [], 4_000));
    const error: unknown = await long.catch((e: unknown) => e);
    expect(error).to.be.instanceOf(TaskTimeoutError);
    expect(await Promise.all(behind)).to.deep.equal([4, 9]);
    expect(await pool.run<number>({ n: 7, ms: 0 }, [], 4_000)).to.equal(49);
    await pool.close();
  });

  it('takes what waits in its order, and counts its time only from when it runs', async () => {
    const pool = openThreadPool({ entry, maxQueue: 4 });
    const done: number[] = [];
    await Promise.all(
      [1, 2, 3, 4].map(async (n) => {
        await pool.run<number>({ n, ms: 300 }, [], 1_000);
        done.push(n);
      }),
    );
    expect(done).to.deep.equal([1, 2, 3, 4]);
    expect(pool.queued).to.equal(0);
    await pool.close();
  });

  it('says of what waits when it is closed that it was not done', async () => {
    const pool = openThreadPool({ entry, maxQueue: 4 });
    const outcomes = Promise.allSettled([1, 2, 3].map((n) => pool.run({ n, ms: 20_000 })));
    await pool.close();
    for (const { status } of await outcomes) expect(status).to.equal('rejected');
  });
});
