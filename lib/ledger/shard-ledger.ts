import type { Redis } from '../store/redis.ts';
import type { Counter, LedgerSum } from './counter.ts';
import { openEventStream } from './event-stream.ts';
import type { EventStream } from './event-stream.ts';
import { KEYS } from './keys.ts';
import type { Scope } from './keys.ts';
import { readReply } from './reply.ts';
import { defineScripts } from './scripts.ts';
import type { Script } from './scripts.ts';
import { readDrifts, readIsReady, readTick } from './shard-replies.ts';
import type { Drift, Tick } from './shard-replies.ts';

/** Somebody else has claimed the shard, or Redis forgot who did. */
export type NotOwner = 'owner';
/** The shard is not in that life, or not ready. */
export type OtherLife = 'life';

/**
 * What the owner of a shard says to Redis (LEDGER §3). Every call rejects as the connection does, and
 * may be repeated; a claim that is not the last one made is refused.
 */
export interface ShardLedger {
  readonly shard: number;
  readonly events: EventStream;
  own(claim: string): Promise<void>;
  tick(claim: string): Promise<Tick | NotOwner>;
  /** Whether the shard admits, whoever owns it. */
  isReady(): Promise<boolean>;
  /** Begins a new life: nothing is admitted before `ready`, every counter is to be filled anew. */
  begin(claim: string, lifeId: string): Promise<'ok' | NotOwner>;
  ready(claim: string, lifeId: string): Promise<'ok' | NotOwner | OtherLife>;
  /** Ends lapsed holds, at most so many; how many it were. */
  reap(claim: string, most: number): Promise<number | NotOwner | OtherLife>;
  /** Ends holds of a worker that has exited, at most so many; needs no claim. */
  reapExit(incarnation: string, most: number): Promise<number>;
  /** Writes counters; `compare` those that exist only. What was wrong. */
  fill(
    owner: { readonly claim: string; readonly lifeId: string },
    sums: readonly LedgerSum[],
    mode: 'fill' | 'compare',
  ): Promise<readonly Drift[] | NotOwner | OtherLife>;
  /** Scopes that have counters, some at a time, and where to go on; '0' begins and ends. */
  listScopes(cursor: string): Promise<{ readonly next: string; readonly scopes: readonly Scope[] }>;
  /** They have no counters any more. */
  forgetScopes(scopes: readonly Scope[]): Promise<void>;
  /** Which of the counters exist, in any life. */
  findExisting(counters: readonly Counter[]): Promise<readonly Counter[]>;
}

/** Names of counters to fill that one tick tells. */
const FILLS = 500;

export function openShardLedger(
  connection: Redis,
  shard: number,
  scripts?: readonly Script[],
): ShardLedger {
  const redis = defineScripts(connection, scripts);
  const life = KEYS.life(shard);
  const lapse = KEYS.lapse(shard);
  const events = KEYS.events(shard);
  const fills = KEYS.fills(shard);
  const scopesKey = KEYS.scopes(shard);
  return {
    shard,
    events: openEventStream(redis, shard),
    async own(claim) {
      readReply('own', await redis.nz_own(life, claim), ['ok']);
    },
    tick: async (claim) => readTick(await redis.nz_tick(life, fills, events, claim, FILLS)),
    isReady: async () => readIsReady(await redis.nz_tick(life, fills, events, '', 1)),
    async begin(claim, lifeId) {
      return readReply('begin', await redis.nz_begin(life, claim, lifeId), ['ok', 'owner']).word;
    },
    async ready(claim, lifeId) {
      const raw = await redis.nz_ready(life, claim, lifeId);
      return readReply('ready', raw, ['ok', 'owner', 'life']).word;
    },
    async reap(claim, most) {
      const raw = await redis.nz_reap(life, lapse, claim, most);
      const { word, rest } = readReply('reap', raw, ['ok', 'owner', 'life']);
      return word === 'ok' ? Number(rest[0]) : word;
    },
    async reapExit(incarnation, most) {
      const raw = await redis.nz_exit(life, lapse, incarnation, most);
      return Number(readReply('exit', raw, ['ok']).rest[0]);
    },
    async fill({ claim, lifeId }, sums, mode) {
      const items = sums.flatMap(({ scope, period, tokens }) => [scope, period, tokens]);
      const keys = [life, events, lapse, fills, scopesKey];
      const raw = await redis.nz_fill(...keys, claim, lifeId, mode, ...items);
      const { word, rest } = readReply('fill', raw, ['ok', 'owner', 'life']);
      return word === 'ok' ? readDrifts(rest[0]) : word;
    },
    async listScopes(cursor) {
      const [next, scopes] = await redis.sscan(scopesKey, cursor, 'COUNT', 200);
      return { next, scopes: scopes as Scope[] };
    },
    async forgetScopes(scopes) {
      if (scopes.length > 0) await redis.srem(scopesKey, ...scopes);
    },
    async findExisting(counters) {
      const found = await Promise.all(
        counters.map(({ scope, period }) =>
          redis.hexists(KEYS.budget(shard, scope), `${period}.life`),
        ),
      );
      return counters.filter((_, n) => found[n] === 1);
    },
  };
}
