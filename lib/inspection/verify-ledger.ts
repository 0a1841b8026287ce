import { periodsAt, readCounter } from '../ledger/counter.ts';
import type { Counter } from '../ledger/counter.ts';
import { openEventStream } from '../ledger/event-stream.ts';
import { openShardLook } from '../ledger/look.ts';
import { openShardLedger } from '../ledger/shard-ledger.ts';
import { readSums } from '../shards/read-sums.ts';
import type { Redis } from '../store/redis.ts';
import { onlyRow } from '../tenants/queries.ts';
import type { Queries } from '../tenants/queries.ts';
import { compareAudit } from './compare-audit.ts';
import type { AuditComparison } from './compare-audit.ts';
import { compareCounters } from './compare-counters.ts';
import type { CounterComparison, Waiting } from './compare-counters.ts';
import { listShards, readLiveHolds } from './live-holds.ts';
import type { Problem } from './problem.ts';

/** What was found; it is well where there are no problems. */
export interface Verification {
  readonly audit: Omit<AuditComparison, 'problems'>;
  readonly counters: Omit<CounterComparison, 'problems' | 'undrainedEvents'>;
  readonly openHolds: number;
  /** Some of them, if they are very many. */
  readonly problems: readonly Problem[];
  readonly problemCount: number;
}

const MOST_PROBLEMS = 1_000;

interface Stores {
  readonly queries: Queries;
  readonly redis: Redis;
  readonly shards: number;
}

/**
 * Proves that audit rows, ledger and Redis's counters tell the same (SPEC §7), and that every hold
 * has an end. It changes nothing and may run under load. Rejects as the connections do.
 */
export async function verifyLedger({ queries, redis, shards }: Stores): Promise<Verification> {
  const { problems: auditProblems, ...audit } = await compareAudit(queries);
  const problems: Problem[] = [...auditProblems];
  const counters = { compared: 0, redisTokens: 0, ledgerTokens: 0, moving: [] as Counter[] };
  for (const shard of listShards(shards)) {
    const found = await verifyShard(queries, redis, shard);
    counters.compared += found.compared;
    counters.redisTokens += found.redisTokens;
    counters.ledgerTokens += found.ledgerTokens;
    counters.moving.push(...found.moving);
    problems.push(...found.problems, ...(await findStrays(redis, shard)));
    const { undrainedEvents } = found;
    if (undrainedEvents !== null) {
      problems.push({ kind: 'undrained', shard, count: undrainedEvents });
    }
  }
  problems.push(...(await findRejected(queries)));
  const { holds } = await readLiveHolds(redis, listShards(shards));
  return {
    audit,
    counters,
    openHolds: holds.length,
    problems: problems.slice(0, MOST_PROBLEMS),
    problemCount: problems.length,
  };
}

async function verifyShard(
  queries: Queries,
  redis: Redis,
  shard: number,
): Promise<CounterComparison> {
  const look = openShardLook(redis, shard);
  const { nowMs, lifeId, current } = await look.counters([]);
  if (lifeId !== null && !current) return { ...NOTHING, problems: [{ kind: 'stale_life', shard }] };

  const counters = await listCounters(redis, shard, nowMs);
  const parts = {
    look: (some: readonly Counter[]) => look.counters(some),
    readWaiting: () => readWaiting(redis, shard),
    readSums: (some: readonly Counter[]) => readSums(queries, some),
  };
  return compareCounters(parts, counters);
}

async function readWaiting(redis: Redis, shard: number): Promise<Waiting> {
  const stream = openEventStream(redis, shard);
  const [oldest] = await stream.read(1);
  return { events: await stream.length(), oldest: oldest?.streamId ?? null };
}

/** Those of today, this month and all time, of every scope that has any. */
async function listCounters(
  redis: Redis,
  shard: number,
  nowMs: number,
): Promise<readonly Counter[]> {
  const ledger = openShardLedger(redis, shard);
  const scopes = new Set<string>();
  let cursor = '0';
  do {
    const found = await ledger.listScopes(cursor);
    for (const scope of found.scopes) scopes.add(scope);
    cursor = found.next;
  } while (cursor !== '0');
  const periods = Object.values(periodsAt(nowMs));
  return [...scopes].flatMap((scope) =>
    periods.flatMap((period) => readCounter(`${scope}|${period}`) ?? []),
  );
}

const NOTHING: CounterComparison = {
  compared: 0,
  redisTokens: 0,
  ledgerTokens: 0,
  moving: [],
  undrainedEvents: null,
  problems: [],
};

async function findStrays(redis: Redis, shard: number): Promise<readonly Problem[]> {
  const { holdsWithoutLease, leasesWithoutHold } = await openShardLook(redis, shard).strays();
  return [
    ...holdsWithoutLease.map((id) => ({ kind: 'hold_without_lease' as const, id, shard })),
    ...leasesWithoutHold.map((id) => ({ kind: 'lease_without_hold' as const, id, shard })),
  ];
}

async function findRejected(queries: Queries): Promise<readonly Problem[]> {
  const { count } = onlyRow(
    await queries.query<{ count: number }>(
      'select count(*) as count from gateway_meta.rejected_events',
    ),
  );
  return count === 0 ? [] : [{ kind: 'rejected_events', count }];
}
