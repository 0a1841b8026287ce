import type { Redis } from '../store/redis.ts';
import type { Counter } from './counter.ts';
import { KEYS } from './keys.ts';

/** What a budget counter stands at. */
export interface BudgetLevel {
  readonly spentTokens: number;
  readonly heldTokens: number;
}

/**
 * What counters of one shard stand at, in their order; null for one that was not filled in the shard's
 * present life, so that nothing was admitted under it since. Plain reads, of which each costs Redis a
 * microsecond. Rejects as the connection does.
 */
export async function readBudgetLevels(
  redis: Redis,
  shard: number,
  counters: readonly Counter[],
): Promise<readonly (BudgetLevel | null)[]> {
  const life = redis.hget(KEYS.life(shard), 'id');
  const asked = counters.map(({ scope, period }) => {
    const fields = [`${period}.life`, `${period}.spent`, `${period}.held`];
    return redis.hmget(KEYS.budget(shard, scope), ...fields);
  });
  const [lifeId, ...found] = await Promise.all([life, ...asked]);
  return found.map(([ownLife, spent, held]) =>
    ownLife !== null && ownLife === lifeId
      ? { spentTokens: Number(spent), heldTokens: Number(held) }
      : null,
  );
}
