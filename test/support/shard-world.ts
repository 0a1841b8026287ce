import { openShardLedger } from '../../lib/ledger/shard-ledger.ts';
import type { ShardLedger } from '../../lib/ledger/shard-ledger.ts';
import { openLedger } from '../../lib/ledger/ledger.ts';
import type { Ledger } from '../../lib/ledger/ledger.ts';
import { openShardLook } from '../../lib/ledger/look.ts';
import type { ShardLook } from '../../lib/ledger/look.ts';
import type { ShardState } from '../../lib/shards/shard-owner.ts';
import { startShards } from '../../lib/shards/start-shards.ts';
import type { ShardsParts } from '../../lib/shards/shards-parts.ts';
import type { Shards } from '../../lib/shards/start-shards.ts';
import type { PostgresClient } from '../../lib/store/postgres.ts';
import type { Redis } from '../../lib/store/redis.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { flushAll } from './every-node.ts';
import { loadMovableScripts } from './movable-time.ts';
import { recordLog } from './record-log.ts';
import type { RecordedLine } from './record-log.ts';
import { seedAccount } from './seed-account.ts';
import { connect, makeDatabase } from './test-postgres.ts';
import { connectRedis } from './connect-redis.ts';
import { until } from './until.ts';

/** Postgres and Redis with one shard between them, and gateways that may own it. */
export interface ShardWorld {
  readonly databaseUrl: string;
  readonly sql: PostgresClient;
  readonly redis: Redis;
  /** As a worker speaks to Redis. */
  readonly ledger: Ledger;
  /** As an owner does. */
  readonly shard: ShardLedger;
  readonly look: ShardLook;
  /** What was logged by all gateways. */
  readonly lines: readonly RecordedLine[];
  /** What was counted by all gateways: `drained`, `rejected`, `reaped lapsed`, `drifted spent high`. */
  readonly counts: ReadonlyMap<string, number>;
  /** Starts a gateway that admits at once in a new life, unless told otherwise. */
  start(changes?: Partial<ShardsParts>): Shards;
  countRows(): Promise<number>;
  stopAll(): Promise<void>;
  /** Stops the gateways and removes the database. */
  close(): Promise<void>;
}

const LEASE_MS = 30_000;
export const WORLD_INCARNATION = 'worker-1';

/** Empties that Redis; its scripts go by a clock that `moveTime` sets. */
export async function openShardWorld(redisUrl: string): Promise<ShardWorld> {
  const redis = await connectRedis(redisUrl);
  // It looks by the product's own clock: the same commands mean other scripts there.
  const looking = await connectRedis(redisUrl);
  await flushAll(redis);
  const database = await makeDatabase();
  const sql = await connect(database.url);
  await seedAccount(sql);
  const { log, lines } = recordLog();
  const scripts = loadMovableScripts();
  const counts = new Map<string, number>();
  const started: Shards[] = [];
  const add = (name: string, n: number): void => {
    counts.set(name, (counts.get(name) ?? 0) + n);
  };
  const clock = systemClock;
  const stopAll = async (): Promise<void> => {
    await Promise.all(started.splice(0).map((shards) => shards.stop()));
  };
  return {
    databaseUrl: database.url,
    sql,
    redis,
    lines,
    counts,
    ledger: openLedger(redis, {
      ...{ shards: 1, clock, scripts },
      ...{ incarnation: WORLD_INCARNATION, leaseMs: LEASE_MS },
    }),
    shard: openShardLedger(redis, 0, scripts),
    look: openShardLook(looking, 0),
    start(changes = {}) {
      const shards = startShards({
        ...{ databaseUrl: database.url, redis, shards: 1, clock, log, scripts },
        ...{ readyAfterMs: 0, compareMs: 3_600_000 },
        gateway: { readSession: () => null, hasAdmitted: () => false },
        counts: {
          drained: (n) => {
            add('drained', n);
          },
          rejected: (n) => {
            add('rejected', n);
          },
          reaped: (cause, n) => {
            add(`reaped ${cause}`, n);
          },
          drifted: (part, direction) => {
            add(`drifted ${part} ${direction}`, 1);
          },
        },
        ...changes,
      });
      started.push(shards);
      return shards;
    },
    async countRows() {
      const { rows } = await sql.query<{ count: number }>('select count(*) from gateway.audit_log');
      return rows[0]?.count ?? -1;
    },
    stopAll,
    async close() {
      await stopAll();
      redis.disconnect();
      looking.disconnect();
      await sql.end();
      await database.drop();
    },
  };
}

/** Waits until the only shard of a gateway is in a state. */
export function untilShard(
  shards: Shards,
  what: string,
  isSo: (state: ShardState) => boolean,
  withinMs = 5_000,
): Promise<unknown> {
  return until(() => shards.state().every(isSo), { withinMs, what: `the shard to be ${what}` });
}
