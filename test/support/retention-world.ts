import { openSweepSession } from '../../lib/retention/sweep-session.ts';
import { makeClient } from '../../lib/store/postgres.ts';
import type { PostgresClient } from '../../lib/store/postgres.ts';
import { insertKey } from './schema-rows.ts';
import { connect, makeDatabase } from './test-postgres.ts';

export interface Account {
  readonly tenantId: string;
  readonly keyId: string;
}

/** A database whose audit rows lie on days that are counted back from Postgres's own today. */
export interface RetentionWorld {
  readonly url: string;
  /** May do everything. */
  readonly sql: PostgresClient;
  /** As the gateway connects to sweep: with its role, ready to sweep. */
  readonly client: PostgresClient;
  /** A further one like that; not connected, and not ready to sweep. */
  makeRuntimeClient(): PostgresClient;
  makeAccount(retentionDays: number): Promise<Account>;
  /** The UTC day so many days ago. */
  day(ago: number): string;
  /** Rows of 3 tokens each at noon of that day, and what they add to the ledger. */
  addRows(account: Account, ago: number, count?: number, outcome?: string): Promise<void>;
  /** Days ago of the rows that are there, youngest first, `ago:count`. */
  readRows(account: Account): Promise<readonly string[]>;
  /** Days ago of the ledger's lines, youngest first, `ago:tokens` and `sealed`. */
  readLedger(account: Account): Promise<readonly string[]>;
  /** Days ago of the partitions, youngest first. */
  readPartitions(): Promise<readonly number[]>;
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;
const LATEST = 30_000;

export async function openRetentionWorld(): Promise<RetentionWorld> {
  const database = await makeDatabase();
  const sql = await connect(database.url);
  const { rows: clock } = await sql.query<{ ms: number }>(
    `select (extract(epoch from date_trunc('day', now() at time zone 'UTC')) * 1000)::bigint as ms`,
  );
  const todayMs = clock[0]?.ms ?? 0;
  const day = (ago: number): string => new Date(todayMs - ago * DAY_MS).toISOString().slice(0, 10);
  const makeRuntimeClient = (): PostgresClient => {
    const url = new URL(database.url);
    url.searchParams.set('options', '-c role=gateway_runtime');
    return makeClient({ url: url.href, applicationName: 'sweeper', timeoutMs: LATEST });
  };
  const client = makeRuntimeClient();
  await client.connect();
  await openSweepSession(client);
  let made = 0;

  return {
    url: database.url,
    sql,
    client,
    makeRuntimeClient,
    day,
    async makeAccount(retentionDays) {
      made += 1;
      const { rows } = await sql.query<{ id: string }>(
        `insert into gateway.tenants (slug, name, audit_retention_days)
         values ($1, $1, $2) returning id`,
        [`kept-${made}-${retentionDays}`, retentionDays],
      );
      const tenantId = rows[0]?.id ?? '';
      return { tenantId, keyId: await insertKey(sql, tenantId) };
    },
    async addRows({ tenantId, keyId }, ago, count = 1, outcome = 'ok') {
      await sql.query('select gateway.ensure_audit_day($1::date)', [day(ago)]);
      await sql.query(
        `insert into gateway.audit_log (id, admitted_at, tenant_id, key_id, dialect, endpoint, model,
           status, outcome, prompt_tokens, completion_tokens, charged_tokens, count_source,
           duration_ms, streamed)
         select gen_random_uuid(), $1::timestamptz, $2, $3, 'native', 'chat', 'm', 200, $5, 1, 2, 3,
           'reported', 1, true
         from generate_series(1, $4)`,
        [`${day(ago)}T12:00:00Z`, tenantId, keyId, count, outcome],
      );
      await sql.query(
        `insert into gateway.token_ledger as l (tenant_id, key_id, model, day, requests,
           prompt_tokens, completion_tokens, charged_tokens)
         values ($1, $2, 'm', $3, $4::bigint, $4::bigint, 2 * $4::bigint, 3 * $4::bigint)
         on conflict (tenant_id, key_id, model, day) do update set
           requests = l.requests + excluded.requests,
           prompt_tokens = l.prompt_tokens + excluded.prompt_tokens,
           completion_tokens = l.completion_tokens + excluded.completion_tokens,
           charged_tokens = l.charged_tokens + excluded.charged_tokens`,
        [tenantId, keyId, day(ago), count],
      );
    },
    async readRows({ tenantId }) {
      const { rows } = await sql.query<{ line: string }>(
        `select ($2::date - (admitted_at at time zone 'UTC')::date) || ':' || count(*) as line
         from gateway.audit_log where tenant_id = $1
         group by (admitted_at at time zone 'UTC')::date
         order by (admitted_at at time zone 'UTC')::date desc`,
        [tenantId, day(0)],
      );
      return rows.map(({ line }) => line);
    },
    async readLedger({ tenantId }) {
      const { rows } = await sql.query<{ line: string }>(
        `select ($2::date - day) || ':' || sum(charged_tokens)
           || case when bool_and(sealed) then ' sealed' else '' end as line
         from gateway.token_ledger where tenant_id = $1 group by day order by day desc`,
        [tenantId, day(0)],
      );
      return rows.map(({ line }) => line);
    },
    async readPartitions() {
      const { rows } = await sql.query<{ ago: number }>(
        `select $1::date - to_date(right(relname, 8), 'YYYYMMDD') as ago from pg_class
         where relname ~ '^audit_log_[0-9]{8}$' and relkind = 'r' order by 1`,
        [day(0)],
      );
      return rows.map(({ ago }) => ago);
    },
    async close() {
      await client.end().catch(() => undefined);
      await sql.end();
      await database.drop();
    },
  };
}
