import { expect } from 'chai';
import { listShards, readLiveHolds } from '../../lib/inspection/live-holds.ts';
import { verifyLedger } from '../../lib/inspection/verify-ledger.ts';
import type { Verification } from '../../lib/inspection/verify-ledger.ts';
import { openEventStream } from '../../lib/ledger/event-stream.ts';
import type { Pool } from '../../lib/store/postgres.ts';
import type { Redis } from '../../lib/store/redis.ts';
import { readShards } from '../../lib/store/schema-guard.ts';
import { connectRedis } from './connect-redis.ts';
import { until } from './until.ts';

/** What a whole stack has, or a part of one. */
export interface CheckedStores {
  readonly database: Pool;
  /** Several addresses: the nodes of a cluster. */
  readonly redis: { readonly url: string | readonly string[] };
}

export interface LedgerCheckOptions {
  /** Admission ids (`request-id`) of which each must have its one row. */
  readonly admitted?: readonly string[];
}

/** No hold outlives its request longer: the lapse of a lease + 15 s, and a moment for the drain. */
const REST_WITHIN_MS = 50_000;

/**
 * To end a test with: waits until nothing runs and everything is in Postgres, then asserts that
 * audit rows, ledger and Redis's counters tell the same, that nothing is held any more, and that
 * every admitted request has exactly one row.
 */
export async function checkLedger(
  { database, redis: { url } }: CheckedStores,
  { admitted = [] }: LedgerCheckOptions = {},
): Promise<Verification> {
  const redis = await connectRedis(url);
  try {
    const shards = await readShards(database);
    await until(() => isAtRest(redis, shards).catch(() => false), {
      withinMs: REST_WITHIN_MS,
      what: 'every stream to be drained and every hold to end',
    });
    const verification = await verifyLedger({ queries: database, redis, shards });
    expect(verification.problems, 'what does not add up').to.deep.equal([]);
    expect(verification.counters.moving, 'counters that move at rest').to.deep.equal([]);
    expect(verification.openHolds, 'open holds').to.equal(0);
    expect(await findManyRows(database), 'requests with several rows').to.deep.equal([]);
    expect(await findWithoutRow(database, admitted), 'requests without a row').to.deep.equal([]);
    return verification;
  } finally {
    redis.disconnect();
  }
}

/** Holds first: what is settled after they were read is seen in its stream, until it is in Postgres. */
async function isAtRest(redis: Redis, shards: number): Promise<boolean> {
  const all = listShards(shards);
  const { holds } = await readLiveHolds(redis, all);
  if (holds.length > 0) return false;
  const waiting = await Promise.all(all.map((shard) => openEventStream(redis, shard).length()));
  return waiting.every((events) => events === 0);
}

async function findManyRows(database: Pool): Promise<readonly object[]> {
  const { rows } = await database.query<{ id: string; outcomes: string[] }>(
    `select id, array_agg(outcome) as outcomes from gateway.audit_log
     where outcome <> 'refused' group by id having count(*) > 1`,
  );
  return rows;
}

async function findWithoutRow(
  database: Pool,
  admitted: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await database.query<{ id: string }>(
    `select wanted.id from unnest($1::uuid[]) as wanted (id)
     where not exists (
       select from gateway.audit_log a where a.id = wanted.id and a.outcome <> 'refused'
     )`,
    [admitted],
  );
  return rows.map(({ id }) => id);
}
