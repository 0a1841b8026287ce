import { KEYS } from '../../lib/ledger/keys.ts';
import type { Redis } from '../../lib/store/redis.ts';
import { flushAll, listKeys } from '../support/every-node.ts';
import type { Action } from './action.ts';
import { expire, makeEmptyShard } from './shard.ts';
import { readSnapshot, setTtls } from './read-snapshot.ts';
import type { RealWorld } from './real-world.ts';
import { expectSame } from './same-snapshot.ts';
import { snapshotOf } from './snapshot.ts';
import type { Story } from './story.ts';
import { checkCounters } from './truth.ts';

const OTHER_RUN = 'f'.repeat(40);

/** Redis lost everything. */
export function lose(): Action {
  return {
    name: 'lose',
    async run(story, real) {
      await flushAll(real.redis);
      await real.setTime(story.shard.nowMs);
      story.shard = makeEmptyShard(story.shard.nowMs);
      noteLoss(story);
    },
  };
}

/** Redis writes its file. */
export function save(): Action {
  return {
    name: 'save',
    async run(story, real) {
      const names = await listKeys(real.redis, 'nz1:*');
      const dump = await Promise.all(
        names.map(async (name) => [name, await real.redis.dumpBuffer(name)] as const),
      );
      story.saved = { shard: structuredClone(story.shard), dump };
    },
  };
}

/** Another process of Redis begins with an older file. */
export function rollBack(): Action {
  return {
    name: 'rollBack',
    canRun: (story) => story.saved !== null,
    async run(story, real) {
      if (story.saved === null) return;
      const { shard, dump } = story.saved;
      await restore(real.redis, dump);
      const { nowMs } = story.shard;
      story.shard = { ...structuredClone(shard), nowMs };
      await real.setTime(nowMs);
      if (story.shard.life?.run === 'this') {
        // A process cannot be given another id: the file is made to name another process.
        await real.redis.hset(KEYS.life(0), 'run', OTHER_RUN);
        story.shard.life.run = 'other';
      }
      await bringTtls(story, real);
      noteLoss(story);
      expectSame(await readSnapshot(real.redis), snapshotOf(story.shard), 'a rollback');
    },
  };
}

async function restore(redis: Redis, dump: readonly (readonly [string, Buffer])[]): Promise<void> {
  await flushAll(redis);
  await Promise.all(dump.map(([name, value]) => redis.restore(name, 0, value)));
}

async function bringTtls(story: Story, real: RealWorld): Promise<void> {
  const before = snapshotOf(story.shard);
  expire(story.shard);
  const ttls = [...before].flatMap(([name, { ttlMs }]): [string, number][] =>
    ttlMs === null ? [] : [[name, ttlMs]],
  );
  if (ttls.length > 0) await setTtls(real.redis, new Map(ttls));
}

function noteLoss(story: Story): void {
  story.losses += 1;
  for (const request of story.requests.values()) request.isForgotten ||= request.wasReaped;
  story.disturbed = true;
  checkCounters(story, 'a loss');
}
