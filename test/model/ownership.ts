import { expect } from 'chai';
import { readCounter } from '../../lib/ledger/counter.ts';
import type { Counter } from '../../lib/ledger/counter.ts';
import { readSums } from '../../lib/shards/read-sums.ts';
import type { Drift } from '../../lib/ledger/shard-replies.ts';
import type { Action } from './action.ts';
import { drainInto } from './model-store.ts';
import { perform } from './perform.ts';
import type { RealWorld } from './real-world.ts';
import type { Story } from './story.ts';
import { isCaughtUp } from './truth.ts';
import { catchUp } from './work.ts';

/** Another gateway got the lock of Postgres, and claims the shard. */
export function own(owner: number): Action {
  return {
    name: `own(${owner})`,
    async run(story, real) {
      story.lockHolder = owner;
      story.owner(owner).pending = null;
      await perform(story, real, { kind: 'own', owner, claim: story.owner(owner).claim });
    },
  };
}

/** An owner, or one that was, looks at its shard; a life that ended is followed by another. */
export function tick(owner: number): Action {
  return {
    name: `tick(${owner})`,
    canRun: (story) => maySpeak(story, owner),
    async run(story, real) {
      const { claim } = story.owner(owner);
      await perform(story, real, { kind: 'tick', owner, claim });
      if (story.shard.life?.run === 'this') return;
      await perform(story, real, { kind: 'begin', owner, claim, lifeId: story.makeId() });
    },
  };
}

/** Whoever still believes to be the owner writes what it read before it lost the lock. */
export function writeSums(owner: number): Action {
  return {
    name: `writeSums(${owner})`,
    canRun: (story) => story.owner(owner).pending !== null,
    async run(story, real) {
      const { claim, pending } = story.owner(owner);
      if (pending === null) return;
      story.owner(owner).pending = null;
      // What was drained meanwhile, or waits beside its correction, counts twice.
      story.disturbed = true;
      await perform(story, real, { kind: 'fill', owner, claim, mode: 'fill', ...pending });
    },
  };
}

/** An owner reads the ledger for what is to be filled, and is then slow. */
export function readLedger(): Action {
  return {
    name: 'readLedger',
    canRun: (story) => isReady(story) && ownsShard(story, story.lockHolder),
    async run(story, real) {
      const lifeId = story.shard.life?.id ?? '';
      const counters = [...wanted(story), ...existing(story)];
      const sums = await readSums(real.client, counters);
      story.owner(story.lockHolder).pending = { lifeId, sums };
    },
  };
}

/** An owner that lost the shard tries all that it could do. */
export function speakAsStranger(owner: number): Action {
  return {
    name: `speakAsStranger(${owner})`,
    canRun: (story) => story.shard.life?.owner !== story.owner(owner).claim,
    async run(story, real) {
      const { claim } = story.owner(owner);
      const as = { owner, claim, lifeId: story.shard.life?.id ?? 'none' };
      await perform(story, real, { kind: 'begin', ...as, lifeId: 'a life of its own' });
      await perform(story, real, { kind: 'ready', ...as });
      await perform(story, real, { kind: 'reap', ...as, most: 100 });
      const sums = existing(story).map((counter) => ({ ...counter, tokens: 0 }));
      await perform(story, real, { kind: 'fill', ...as, mode: 'fill', sums });
    },
  };
}

export function reap(most: number): Action {
  return {
    name: `reap(${most})`,
    canRun: (story) => ownsShard(story, story.lockHolder),
    async run(story, real) {
      const owner = story.lockHolder;
      await perform(story, real, { kind: 'reap', owner, claim: story.owner(owner).claim, most });
    },
  };
}

/** Corrects the counters that exist; fills those of `counters`. */
export function compare(): Action {
  return {
    name: 'compare',
    canRun: (story) => isReady(story) && ownsShard(story, story.lockHolder),
    run: async (story, real) => {
      await compareAll(story, real);
    },
  };
}

export async function compareAll(story: Story, real: RealWorld): Promise<readonly Drift[]> {
  const owner = story.lockHolder;
  await drainAll(story, real);
  const sums = await readSums(real.client, existing(story));
  const as = { owner, claim: story.owner(owner).claim, lifeId: story.shard.life?.id ?? '' };
  const drifts = await perform(story, real, { kind: 'fill', ...as, mode: 'compare', sums });
  return drifts as readonly Drift[];
}

/** Some of the stream goes to Postgres; unless `remove`, it will come again. */
export function drain(count: number, remove: boolean): Action {
  return {
    name: `drain(${count}, ${String(remove)})`,
    canRun: (story) => ownsShard(story, story.lockHolder),
    run: (story, real) => drainSome(story, real, { count, remove }),
  };
}

async function drainSome(
  story: Story,
  real: RealWorld,
  how: { readonly count: number; readonly remove: boolean },
): Promise<void> {
  story.owner(story.lockHolder).pending = null;
  const moved = await real.drain(story.lockHolder, how);
  const { shard, store } = story;
  expect(moved).to.equal(Math.min(how.count, shard.events.length));
  drainInto(store, shard.events.slice(0, moved));
  if (how.remove) shard.events = shard.events.slice(moved);
  else if (moved > 0) story.disturbed = true;
  const read = await real.readStore();
  expect(Object.fromEntries(read.rows)).to.deep.equal(Object.fromEntries(store.rows));
  expect(withoutZeros(read.ledger)).to.deep.equal(withoutZeros(store.ledger));
}

export async function drainAll(story: Story, real: RealWorld): Promise<void> {
  if (story.shard.events.length > 0) await drainSome(story, real, { count: 1_000, remove: true });
}

/** Fills all that is wanted, as the owner's loop does; false if it cannot now. */
export async function fillAll(story: Story, real: RealWorld, isDrained: boolean): Promise<boolean> {
  const owner = story.lockHolder;
  if (!isReady(story) || !ownsShard(story, owner)) return false;
  if (isDrained) await drainAll(story, real);
  else if (story.shard.events.length > 0) story.disturbed = true;
  story.owner(owner).pending = null;
  const sums = await readSums(real.client, wanted(story));
  const as = { owner, claim: story.owner(owner).claim, lifeId: story.shard.life?.id ?? '' };
  await perform(story, real, { kind: 'fill', ...as, mode: 'fill', sums });
  return true;
}

/**
 * All that follows a loss: claim, another life, every worker caught up, ready. The shard does not
 * wait for a worker that is cut off.
 */
export function recover(cutOff: number | null): Action {
  return {
    name: `recover(${String(cutOff)})`,
    canRun: (story) => !isReady(story) || !ownsShard(story, story.lockHolder),
    run: (story, real) => bringBack(story, real, cutOff),
  };
}

export async function bringBack(
  story: Story,
  real: RealWorld,
  cutOff: number | null = null,
): Promise<void> {
  const owner = story.lockHolder;
  if (!ownsShard(story, owner)) await own(owner).run(story, real);
  await tick(owner).run(story, real);
  for (const worker of story.workers.keys()) {
    if (worker !== cutOff) await catchUp(story, real, worker);
  }
  for (const request of story.requests.values()) request.isCutOff ||= request.worker === cutOff;
  await drainAll(story, real);
  if (isReady(story)) return;
  expect(isCaughtUp(story), 'every living worker has told what it knows').to.equal(true);
  const { claim } = story.owner(owner);
  const lifeId = story.shard.life?.id ?? '';
  await perform(story, real, { kind: 'ready', owner, claim, lifeId });
}

export function isReady({ shard }: Story): boolean {
  return shard.life?.run === 'this' && shard.life.ready;
}

/** It has the lock, and Redis knows its claim. */
function ownsShard(story: Story, owner: number): boolean {
  return story.lockHolder === owner && story.shard.life?.owner === story.owner(owner).claim;
}

/** A rollback may bring back the claim of one without the lock; it looks at its lock before it speaks. */
function maySpeak(story: Story, owner: number): boolean {
  return story.lockHolder === owner || story.shard.life?.owner !== story.owner(owner).claim;
}

function wanted({ shard }: Story): readonly Counter[] {
  return [...shard.fills].map(readCounter).filter((counter) => counter !== undefined);
}

function existing({ shard }: Story): readonly Counter[] {
  return [...shard.budgets].flatMap(([scope, { counters }]) =>
    [...counters.keys()].map((period) => ({ scope, period })),
  );
}

function withoutZeros(sums: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...sums].filter(([, tokens]) => tokens !== 0));
}
