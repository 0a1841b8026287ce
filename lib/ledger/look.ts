import type { Redis } from '../store/redis.ts';
import type { Counter } from './counter.ts';
import { KEYS } from './keys.ts';
import { readReply } from './reply.ts';
import { defineScripts } from './scripts.ts';

/** One counter beside what it should add up to, all of one moment. */
export interface CounterLook extends Counter {
  /** It is of the shard's present life. */
  readonly exists: boolean;
  readonly spentTokens: number;
  readonly heldTokens: number;
  /** In entries that wait for Postgres. */
  readonly streamTokens: number;
  /** In live holds. */
  readonly liveTokens: number;
}

/** A hold as it lies in Redis. */
export interface HoldLook {
  readonly id: string;
  readonly state: string;
  readonly keyId: string;
  readonly tenantId: string;
  readonly admittedAtMs: number;
  /** When it lapses unless it is renewed, ms; null: it has no lease. */
  readonly lapsesAtMs: number | null;
  readonly heldTokens: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** JSON of HoldFacts. */
  readonly facts: string;
}

/** What an operator may see of a shard. Changes nothing; calls reject as the connection does. */
export interface ShardLook {
  counters(counters: readonly Counter[]): Promise<readonly CounterLook[]>;
  /** Those with a lease, soonest to lapse first. */
  holds(): Promise<readonly HoldLook[]>;
}

export function openShardLook(connection: Redis, shard: number): ShardLook {
  const redis = defineScripts(connection);
  const keys = [KEYS.life(shard), KEYS.events(shard), KEYS.lapse(shard)];

  const readHold = async (id: string, lapse: string | null): Promise<HoldLook | undefined> => {
    const hold = await redis.hgetall(KEYS.hold(shard, id));
    const { state } = hold;
    if (state === undefined) return undefined;
    return {
      id,
      state,
      keyId: hold['key'] ?? '',
      tenantId: hold['tenant'] ?? '',
      admittedAtMs: Number(hold['at']),
      lapsesAtMs: lapse === null ? null : Number(lapse),
      heldTokens: Number(hold['held']),
      promptTokens: Number(hold['prompt']),
      completionTokens: Number(hold['completion']),
      facts: hold['row'] ?? '{}',
    };
  };

  return {
    async counters(counters) {
      const names = counters.flatMap(({ scope, period }) => [scope, period]);
      const raw = await redis.nz_look(...keys, ...names);
      const looks = readReply('look', raw, ['ok']).rest[0] as readonly (readonly number[])[];
      return counters.map((counter, n) => {
        const [exists, spent = 0, held = 0, stream = 0, live = 0] = looks[n] ?? [];
        return {
          ...counter,
          exists: exists === 1,
          spentTokens: spent,
          heldTokens: held,
          streamTokens: stream,
          liveTokens: live,
        };
      });
    },
    async holds() {
      const lapses = await redis.zrange(KEYS.lapse(shard), '0', '-1', 'WITHSCORES');
      const found: HoldLook[] = [];
      for (let n = 0; n < lapses.length; n += 2) {
        const hold = await readHold(lapses[n] ?? '', lapses[n + 1] ?? null);
        if (hold !== undefined) found.push(hold);
      }
      return found;
    },
  };
}
