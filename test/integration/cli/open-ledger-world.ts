import { randomUUID } from 'node:crypto';
import type { Counter } from '../../../lib/ledger/counter.ts';
import type { Entry } from '../../../lib/ledger/entry.ts';
import { openLedger } from '../../../lib/ledger/ledger.ts';
import type { Ledger } from '../../../lib/ledger/ledger.ts';
import { openShardLedger } from '../../../lib/ledger/shard-ledger.ts';
import { readSums } from '../../../lib/shards/read-sums.ts';
import type { Limits } from '../../../lib/shared/records.ts';
import type { PostgresClient } from '../../../lib/store/postgres.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { flushAll } from '../../support/every-node.ts';
import { NO_LIMITS } from '../../support/rows.ts';
import { runNzgw } from '../../support/run-nzgw.ts';
import type { Run } from '../../support/run-nzgw.ts';
import { seedKey, seedTenant } from '../../support/seed-key.ts';
import type { SeededKey } from '../../support/seed-key.ts';
import { connect, makeDatabase } from '../../support/test-postgres.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { startTestRedis } from '../../support/test-redis.ts';

export const MODEL = 'registry.ollama.ai/library/llama3:8b';
export const OLLAMA_URL = 'http://127.0.0.1:1';

export interface Row {
  readonly tenantId: string;
  readonly keyId: string;
  readonly model?: string;
  /** RFC 3339. */
  readonly at?: string;
  readonly outcome?: string;
  readonly promptTokens?: number;
  readonly completionTokens?: number;
}

/** A database, a Redis whose one shard is ready, and `nzgw` pointed at both. */
export interface LedgerWorld {
  readonly sql: PostgresClient;
  readonly redis: Redis;
  readonly ledger: Ledger;
  readonly env: Readonly<Record<string, string>>;
  run(...args: readonly string[]): Promise<Run>;
  makeKey(slug: string): Promise<SeededKey>;
  /** Empties both, but for tenants and keys, and makes the shard ready in a new life. */
  reset(): Promise<void>;
  /** Fills counters from the ledger, as the owner does. */
  fill(...counters: readonly Counter[]): Promise<void>;
  /** Admits a request; its admission id and hold. */
  admit(key: SeededKey, limits?: AskedLimits): ReturnType<Ledger['admit']>;
  /** Settles an admission without any drain: it stays in the stream. */
  settle(key: SeededKey, id: string, admittedAtMs: number, tokens: number): Promise<void>;
  /** A row of the audit log; charged what its prompt and completion have. */
  addAudit(row: Row): Promise<void>;
  /** Adds to the ledger what such a row would. */
  addLedger(row: Row): Promise<void>;
  close(): Promise<void>;
}

export interface AskedLimits {
  readonly key?: Partial<Limits>;
  readonly tenant?: Partial<Limits>;
  readonly askedTokens?: number;
}

const FACTS = {
  clientAddress: '192.0.2.7',
  clientRequestId: 'client-words',
  dialect: 'native',
  endpoint: 'chat',
  streamed: true,
  model: MODEL,
} as const;

export async function openLedgerWorld(): Promise<LedgerWorld> {
  const [database, server] = await Promise.all([makeDatabase(), startTestRedis()]);
  const [sql, redis] = await Promise.all([connect(database.url), connectRedis(server.url)]);
  const env = { DATABASE_URL: database.url, REDIS_URL: server.url, OLLAMA_URL };
  const parts = { shards: 1, clock: systemClock, incarnation: 'test', leaseMs: 30_000 };
  const ledger = openLedger(redis, parts);
  const shard = openShardLedger(redis, 0);
  const owner = { claim: 'test', lifeId: '' };

  return {
    sql,
    redis,
    ledger,
    env,
    run: (...args) => runNzgw(args, { env }),
    makeKey: async (slug) => seedKey(sql, await seedTenant(sql, slug)),
    reset: async () => {
      await flushAll(redis);
      await sql.query('truncate gateway.audit_log, gateway.token_ledger');
      await sql.query('truncate gateway_meta.rejected_events');
      owner.lifeId = randomUUID();
      await shard.own(owner.claim);
      await shard.begin(owner.claim, owner.lifeId);
      await shard.ready(owner.claim, owner.lifeId);
    },
    fill: async (...counters) => {
      await shard.fill(owner, await readSums(sql, counters), 'fill');
    },
    admit: ({ tenantId, keyId }, { key, tenant, askedTokens = 100 } = {}) =>
      ledger.admit({
        id: randomUUID(),
        tenantId,
        keyId,
        facts: FACTS,
        keyLimits: { ...NO_LIMITS, ...key },
        tenantLimits: { ...NO_LIMITS, ...tenant },
        promptTokens: 10,
        promptBoundTokens: 600,
        askedTokens,
        leastTokens: 1,
        maxWaitingEntries: 1_000,
        timeoutMs: 1_000,
      }),
    settle: ({ tenantId, keyId }, id, admittedAtMs, tokens) =>
      ledger.settle(makeEntry({ id, tenantId, keyId, admittedAtMs, chargedTokens: tokens })),
    addAudit: (row) => addAudit(sql, row),
    addLedger: (row) => addLedger(sql, row),
    close: async () => {
      redis.disconnect();
      await sql.end();
      await database.drop();
    },
  };
}

function makeEntry(
  given: Pick<Entry, 'id' | 'tenantId' | 'keyId' | 'admittedAtMs' | 'chargedTokens'>,
): Entry {
  return {
    ...FACTS,
    ...given,
    status: 200,
    outcome: 'ok',
    refusalCode: null,
    promptTokens: given.chargedTokens,
    completionTokens: 0,
    countSource: 'reported',
    firstTokenMs: null,
    durationMs: 1,
    bytesOut: 1,
  };
}

async function addAudit(sql: PostgresClient, row: Row): Promise<void> {
  const { at = new Date(systemClock.wallMs()).toISOString(), outcome = 'ok' } = row;
  const { model = MODEL, promptTokens = 0, completionTokens = 0 } = row;
  await sql.query('select gateway.ensure_audit_day($1::date)', [at.slice(0, 10)]);
  await sql.query(
    `insert into gateway.audit_log (id, admitted_at, tenant_id, key_id, dialect, endpoint, model,
       status, outcome, refusal_code, prompt_tokens, completion_tokens, charged_tokens,
       count_source, duration_ms, streamed)
     values ($1, $2, $3, $4, 'native', 'chat', $5, 200, $6, $7, $8, $9, $10, 'reported', 1, true)`,
    [
      ...[randomUUID(), at, row.tenantId, row.keyId, outcome === 'refused' ? null : model, outcome],
      ...[outcome === 'refused' ? 'rate_limit_exceeded' : null, promptTokens, completionTokens],
      promptTokens + completionTokens,
    ],
  );
}

async function addLedger(sql: PostgresClient, row: Row): Promise<void> {
  const { at = new Date(systemClock.wallMs()).toISOString() } = row;
  const { model = MODEL, promptTokens = 0, completionTokens = 0 } = row;
  await sql.query(
    `insert into gateway.token_ledger as l (tenant_id, key_id, model, day, requests, prompt_tokens,
       completion_tokens, charged_tokens)
     values ($1, $2, $3, $4::date, 1, $5, $6, $7)
     on conflict (tenant_id, key_id, model, day) do update set requests = l.requests + 1,
       prompt_tokens = l.prompt_tokens + excluded.prompt_tokens,
       completion_tokens = l.completion_tokens + excluded.completion_tokens,
       charged_tokens = l.charged_tokens + excluded.charged_tokens`,
    [
      ...[row.tenantId, row.keyId, model, at.slice(0, 10), promptTokens, completionTokens],
      promptTokens + completionTokens,
    ],
  );
}
