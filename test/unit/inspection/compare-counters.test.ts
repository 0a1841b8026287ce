import { expect } from 'chai';
import { compareCounters } from '../../../lib/inspection/compare-counters.ts';
import type { CounterComparison, Waiting } from '../../../lib/inspection/compare-counters.ts';
import type { Counter, LedgerSum } from '../../../lib/ledger/counter.ts';
import type { CounterLook, Look } from '../../../lib/ledger/look-replies.ts';

const COUNTER: Counter = { scope: 'k:1', period: 't' };
const STILL: CounterLook = {
  ...COUNTER,
  exists: true,
  spentTokens: 10,
  heldTokens: 0,
  streamTokens: 0,
  streamEvents: 0,
  liveTokens: 0,
};

/** Compares one counter, seen so one look after the other; the last stays. */
async function compare(
  looks: readonly [Partial<CounterLook>, ...Partial<CounterLook>[]],
  sums: readonly [number, ...number[]] = [10],
  waiting: readonly number[] = [],
  oldestOf: (look: number) => string = String,
): Promise<CounterComparison & { readonly looked: number }> {
  let looked = 0;
  let summed = 0;
  let counted = 0;
  const look = (counters: readonly Counter[]): Promise<Look> => {
    const seen = looks[Math.min(looked, looks.length - 1)];
    looked += 1;
    const all = counters.map((counter) => ({ ...STILL, ...seen, ...counter }));
    return Promise.resolve({ nowMs: 0, lifeId: '1', current: true, ready: true, counters: all });
  };
  const readSums = (counters: readonly Counter[]): Promise<readonly LedgerSum[]> => {
    const sum = sums[Math.min(summed, sums.length - 1)] ?? 0;
    summed += 1;
    return Promise.resolve(counters.map((counter) => ({ ...counter, tokens: sum })));
  };
  const readWaiting = (): Promise<Waiting> => {
    const events = waiting[counted] ?? 0;
    counted += 1;
    const oldest = oldestOf(counted);
    return Promise.resolve({ events, oldest: events === 0 ? null : oldest });
  };
  const found = await compareCounters({ look, readSums, readWaiting, pauseMs: 0 }, [COUNTER]);
  return { ...found, looked };
}

describe('inspection/compare-counters', () => {
  it('believes a counter that stood still, at the first look', async () => {
    const found = await compare([STILL]);
    expect(found).to.deep.equal({
      compared: 1,
      redisTokens: 10,
      ledgerTokens: 10,
      moving: [],
      undrainedEvents: null,
      problems: [],
      looked: 2,
    });
  });

  it('leaves out what does not exist in this life, or is gone at the second look', async () => {
    expect(await compare([{ exists: false }])).to.include({ compared: 0 });
    expect(await compare([STILL, { exists: false }])).to.include({ compared: 0 });
  });

  it('waits while a counter moves or an event is on its way, be it one of no tokens', async () => {
    const moves = [{ spentTokens: 9 }, STILL, { streamEvents: 1 }, STILL] as const;
    const found = await compare([...moves, STILL, { streamEvents: 1 }, STILL]);
    expect(found).to.include({ compared: 1, looked: 8 });
    expect(found.problems).to.deep.equal([]);
  });

  it('lists what never stood still as moving, and as no problem', async () => {
    const found = await compare([{ streamEvents: 2, spentTokens: 99 }]);
    expect(found).to.include({ compared: 0, redisTokens: 0, looked: 20 });
    expect(found.moving).to.deep.equal([COUNTER]);
    expect(found.problems).to.deep.equal([]);
  });

  it('believes a difference only when it sees the same once more', async () => {
    const sure = await compare([STILL], [7]);
    expect(sure).to.include({ compared: 1, redisTokens: 10, ledgerTokens: 7, looked: 4 });
    expect(sure.problems).to.deep.equal([
      { kind: 'ledger_redis', ...COUNTER, spentTokens: 10, ledgerTokens: 7 },
    ]);
    const passing = await compare([STILL], [7, 10]);
    expect(passing.problems).to.deep.equal([]);
    const other = await compare([STILL], [7, 8, 10]);
    expect(other).to.include({ compared: 1, looked: 6 });
    expect(other.problems).to.deep.equal([]);
  });

  it('compares what is held as of one moment, moving or not, and tells it once', async () => {
    const found = await compare([{ heldTokens: 40, liveTokens: 30, streamEvents: 1 }]);
    expect(found.problems).to.deep.equal([
      { kind: 'held', ...COUNTER, heldTokens: 40, liveTokens: 30 },
    ]);
  });

  it('does not look while so much waits that a look would hold up Redis', async () => {
    const found = await compare([STILL], [10], [6_000, 6_000]);
    expect(found).to.include({ compared: 1, looked: 2 });
    const never = await compare(
      [STILL],
      [10],
      Array.from({ length: 10 }, () => 6_000),
    );
    expect(never).to.include({ compared: 0, looked: 0 });
    expect(never.moving).to.deep.equal([COUNTER]);
    expect(never.undrainedEvents, 'and proves nothing').to.equal(6_000);
  });

  it('tells of events that nobody drains, and of none where they only come and go', async () => {
    const waiting = Array.from({ length: 10 }, () => 3);
    const busy = [{ streamEvents: 1 }] as const;
    expect(await compare(busy, [10], waiting, () => '1-0')).to.include({ undrainedEvents: 3 });
    expect(await compare(busy, [10], waiting)).to.include({ undrainedEvents: null });
  });
});
