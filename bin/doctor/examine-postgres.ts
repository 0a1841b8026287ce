import { randomBytes } from 'node:crypto';
import { countConnections } from '../../lib/cluster/prepare.ts';
import type { Environment } from '../../lib/config/read-sources.ts';
import { waitAtMost } from '../../lib/revocation/bounded.ts';
import { checkPostgres, keepsCommits, UnfitPostgresError } from '../../lib/store/postgres-check.ts';
import { makeClient } from '../../lib/store/postgres.ts';
import type { Connection, PostgresClient } from '../../lib/store/postgres.ts';
import { readShards } from '../../lib/store/schema-guard.ts';
import { SchemaError } from '../../lib/store/schema-error.ts';
import { IS_STANDBY, refuseStandby, StandbyError } from '../../lib/store/standby.ts';
import type { Clock } from '../../lib/time/clock.ts';
import { inTime } from '../../lib/time/in-time.ts';
import { toDatabaseError } from '../program/database-error.ts';
import { fail, pass, warn } from './check.ts';
import type { Check, Finding } from './check.ts';
import { lookAtClock } from './clock-offset.ts';
import { examineWith } from './examine-with.ts';
import { lookAtRights, lookAtSchema, lookAtTriggers } from './look-at-schema.ts';
import { loadSome } from './some-settings.ts';

/** Bounds connecting and every statement. */
const TIMEOUT_MS = 5_000;
const CLOSE_WITHIN_MS = 500;
const HEARD_WITHIN_MS = 2_000;

/** Server, schema, rights, triggers, notifications and clock of the Postgres of DATABASE_URL. */
export function examinePostgres(environment: Environment, clock: Clock): Promise<readonly Check[]> {
  const readUrl = (): string => loadSome(environment, ['databaseUrl']).databaseUrl;
  return examineWith<PostgresClient>(
    {
      lend: async (act) => {
        await withClient(readUrl(), act);
      },
      translate: toDatabaseError,
    },
    {
      postgres: (client) => lookAtServer(client, environment, clock),
      schema: lookAtSchema,
      rights: lookAtRights,
      triggers: lookAtTriggers,
      notify: (client) => lookAtNotify(client, readUrl(), clock),
      'clock-postgres': (client) => lookAtClock(clock, 'Postgres', () => readClockMs(client)),
    },
  );
}

async function withClient<T>(url: string, act: (client: PostgresClient) => Promise<T>): Promise<T> {
  const client = makeClient({ url, applicationName: 'nzgw doctor', timeoutMs: TIMEOUT_MS });
  try {
    await client.connect();
    return await act(client);
  } finally {
    await waitAtMost(client.end(), CLOSE_WITHIN_MS);
  }
}

async function lookAtServer(
  client: PostgresClient,
  environment: Environment,
  clock: Clock,
): Promise<Finding> {
  const startedMs = clock.monotonicMs();
  const { rows } = await client.query<{ standby: boolean; version: string }>(
    `select ${IS_STANDBY}, current_setting('server_version') as version`,
  );
  const tookMs = clock.monotonicMs() - startedMs;
  const seen = `${rows[0]?.version ?? '?'}, answers in ${tookMs.toFixed(1)} ms`;
  try {
    rows.forEach(refuseStandby);
    const connections = countConnections(loadSome(environment, ['workers']), await guess(client));
    await checkPostgres(client, { connections });
  } catch (error) {
    if (error instanceof StandbyError) return fail(error.message, 'name the primary server');
    if (error instanceof UnfitPostgresError) return fail(error.message, null);
    throw error;
  }
  if (await keepsCommits(client)) return pass(seen);
  return warn(
    `${seen}; synchronous_commit is off: a crash of it may lose rows and sums of requests`,
    'set synchronous_commit = on',
  );
}

/** How many shards there are, or will be. */
async function guess(connection: Connection): Promise<number> {
  try {
    return await readShards(connection);
  } catch (error) {
    if (error instanceof SchemaError) return 1;
    throw error;
  }
}

/** From another session to this one, on a channel that nobody else listens to. */
async function lookAtNotify(client: PostgresClient, url: string, clock: Clock): Promise<Finding> {
  const channel = `nzgw_doctor_${randomBytes(8).toString('hex')}`;
  const heard = Promise.withResolvers<true>();
  client.on('notification', (notice) => {
    if (notice.channel === channel) heard.resolve(true);
  });
  await client.query(`listen ${channel}`);
  return withClient(url, async (other) => {
    const startedMs = clock.monotonicMs();
    await other.query(`notify ${channel}`);
    if (!(await inTime<boolean>(HEARD_WITHIN_MS, heard.promise, () => false))) {
      return fail(
        `a NOTIFY was not heard within ${HEARD_WITHIN_MS / 1_000} s: changes and revocations come late`,
        'let DATABASE_URL lead to Postgres itself, past a pooler that shares sessions',
      );
    }
    return pass(`a NOTIFY is heard after ${(clock.monotonicMs() - startedMs).toFixed(1)} ms`);
  });
}

async function readClockMs(connection: Connection): Promise<number> {
  const { rows } = await connection.query<{ ms: number }>(
    'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
  );
  return rows[0]?.ms ?? NaN;
}
