import type { Redis } from '../store/redis.ts';
import { scopesOf } from './admit-request.ts';
import type { Counter } from './counter.ts';
import { KEYS } from './keys.ts';
import { readHoldLook, readLook, readStrays, readWaits } from './look-replies.ts';
import type { HoldLook, Look, Strays, Waits } from './look-replies.ts';
import { readPeekReply, toPeekArguments } from './peek.ts';
import type { PeekReply, PeekRequest } from './peek.ts';
import { defineScripts } from './scripts.ts';

export interface WaitRequest extends PeekRequest {
  /** Tokens that count in the minute. */
  readonly neededTokens: number;
}

/**
 * What an operator may see of a shard. Changes nothing of it; calls reject as the connection does.
 */
export interface ShardLook {
  /** The shard's life, and the counters as of one moment. The whole stream is read for any. */
  counters(counters: readonly Counter[]): Promise<Look>;
  /** Those with a lease, soonest to lapse first. */
  holds(): Promise<readonly HoldLook[]>;
  /** Reads every key of the shard: leases and holds that do not belong together. */
  strays(): Promise<Strays>;
  /** What a caller has used. Its owner is asked for counters that are not filled. */
  peek(request: PeekRequest): Promise<PeekReply>;
  /** How long a request would have to wait for the limits of a minute. */
  waits(request: WaitRequest): Promise<Waits>;
}

export function openShardLook(connection: Redis, shard: number): ShardLook {
  const redis = defineScripts(connection);
  const life = KEYS.life(shard);
  const lapse = KEYS.lapse(shard);

  return {
    async counters(counters) {
      const names = counters.flatMap(({ scope, period }) => [scope, period]);
      return readLook(counters, await redis.nz_look(life, KEYS.events(shard), lapse, ...names));
    },
    async holds() {
      const lapses = await redis.zrange(lapse, '0', '-1', 'WITHSCORES');
      const found: HoldLook[] = [];
      for (const [n, id] of lapses.entries()) {
        // Ids and lapses in turn.
        if (n % 2 === 1) continue;
        // It may have been settled since, and is then a string.
        const fields = await redis.hgetall(KEYS.hold(shard, id)).catch(() => ({}));
        const hold = readHoldLook(id, fields, Number(lapses[n + 1]));
        if (hold !== undefined) found.push(hold);
      }
      return found;
    },
    async strays() {
      const holds = new Set<string>();
      const leases = new Set<string>();
      let cursor = '0';
      do {
        const found = readStrays(await redis.nz_stray(life, lapse, cursor));
        for (const id of found.holdsWithoutLease) holds.add(id);
        for (const id of found.leasesWithoutHold) leases.add(id);
        cursor = found.next;
      } while (cursor !== '0');
      return { holdsWithoutLease: [...holds], leasesWithoutHold: [...leases] };
    },
    peek: async (request) => readPeekReply(await redis.nz_peek(...toPeekArguments(request, shard))),
    async waits(request) {
      const [key, tenant] = scopesOf(request);
      const { keyLimits, tenantLimits } = request;
      const raw = await redis.nz_wait(
        KEYS.requests(shard, key),
        KEYS.requests(shard, tenant),
        KEYS.tokens(shard, key),
        KEYS.tokens(shard, tenant),
        request.neededTokens,
        keyLimits.requestsPerMinute ?? '',
        tenantLimits.requestsPerMinute ?? '',
        keyLimits.tokensPerMinute ?? '',
        tenantLimits.tokensPerMinute ?? '',
      );
      return readWaits(raw);
    },
  };
}
