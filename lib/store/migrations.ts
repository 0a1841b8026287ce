import { readMetaSchema, readMigrations } from './migration-files.ts';
import type { Migration } from './migration-files.ts';
import type { Connection, PostgresClient } from './postgres.ts';
import { SchemaError } from './schema-error.ts';

const LOCK = `hashtextextended('neuronetz-gateway migrate', 0)`;

interface AppliedMigration {
  readonly id: number;
  readonly name: string;
  readonly digest: string;
  readonly breaking: boolean;
  readonly appliedAt: Date;
}

/** What a database has had done to it, compared with the files of this program. */
export interface MigrationStatus {
  readonly applied: readonly AppliedMigration[];
  /** Files that were not applied yet, in order. */
  readonly pending: readonly Migration[];
  /** Applied, but the file was changed afterwards. */
  readonly edited: readonly AppliedMigration[];
  /** Applied by a newer program. */
  readonly unknown: readonly AppliedMigration[];
  /** Shards of Redis; null before the first migration. */
  readonly shards: number | null;
}

interface MigrateOptions {
  /** Shards of Redis, 1 to 99. Fixed by the first migration (1 if not given); then only checked. */
  readonly shards?: number;
  /** Folder of the files; sql/ of this package unless a test says otherwise. */
  readonly folder?: URL;
}

/**
 * Applies what is missing, each file in a transaction of its own, and returns it. Others that
 * migrate at the same moment wait: the connection must allow statements of minutes.
 * @throws SchemaError `edited` for a changed history, `newer` for a newer schema that it may not
 *   touch, `shards_fixed` for another number of shards than before.
 */
export async function migrate(
  client: PostgresClient,
  { shards, folder }: MigrateOptions = {},
): Promise<readonly Migration[]> {
  const migrations = await readMigrations(folder);
  await client.query(`select pg_advisory_lock(${LOCK})`);
  try {
    const status = await readMigrationStatus(client, migrations);
    refuseHistory(status);
    refuseShards(status, shards);
    if (status.pending.length > 0) await applyMeta(client, shards ?? 1);
    for (const migration of status.pending) await apply(client, migration);
    return status.pending;
  } finally {
    await client.query(`select pg_advisory_unlock(${LOCK})`).catch(endedAnyway);
  }
}

/** Compares; changes nothing, and works before the first migration too. */
export async function readMigrationStatus(
  connection: Connection,
  known?: readonly Migration[],
): Promise<MigrationStatus> {
  const migrations = known ?? (await readMigrations());
  const { applied, shards } = await readMeta(connection);
  const files = new Map(migrations.map((migration) => [migration.id, migration]));
  const done = new Set(applied.map(({ id }) => id));
  return {
    applied,
    pending: migrations.filter(({ id }) => !done.has(id)),
    edited: applied.filter(({ id, digest }) => digest !== (files.get(id)?.digest ?? digest)),
    unknown: applied.filter(({ id }) => !files.has(id)),
    shards,
  };
}

async function readMeta(
  connection: Connection,
): Promise<Pick<MigrationStatus, 'applied' | 'shards'>> {
  const { rows: found } = await connection.query<{ found: boolean }>(
    `select to_regclass('gateway_meta.migrations') is not null as found`,
  );
  if (found[0]?.found !== true) return { applied: [], shards: null };
  const { rows: applied } = await connection.query<AppliedMigration>(
    `select id, name, digest, breaking, applied_at as "appliedAt"
       from gateway_meta.migrations order by id`,
  );
  const { rows: settings } = await connection.query<{ shards: number }>(
    'select shards from gateway_meta.settings',
  );
  return { applied, shards: settings[0]?.shards ?? null };
}

function refuseHistory({ edited, unknown, pending }: MigrationStatus): void {
  if (edited[0]) {
    throw new SchemaError(
      'edited',
      `migration ${edited[0].name} was changed after it had been applied: ` +
        'bring back its file; see nzgw migrate --status',
    );
  }
  const ahead = unknown.find(({ breaking }) => breaking) ?? (pending[0] && unknown[0]);
  if (ahead) {
    throw new SchemaError(
      'newer',
      `the database has migration ${ahead.name} of a newer version: upgrade this program; ` +
        'see nzgw migrate --status',
    );
  }
}

function refuseShards({ shards }: MigrationStatus, wanted: number | undefined): void {
  if (shards === null || wanted === undefined || wanted === shards) return;
  throw new SchemaError(
    'shards_fixed',
    `this database was made for ${shards} shard(s) of Redis, which cannot be changed`,
  );
}

async function applyMeta(client: PostgresClient, shards: number): Promise<void> {
  const sql = await readMetaSchema();
  await inTransaction(client, async () => {
    await client.query(sql);
    await client.query(
      'insert into gateway_meta.settings (shards) values ($1) on conflict do nothing',
      [shards],
    );
  });
}

async function apply(client: PostgresClient, migration: Migration): Promise<void> {
  const { id, name, digest, breaking } = migration;
  await inTransaction(client, async () => {
    await client.query(migration.sql);
    await client.query(
      'insert into gateway_meta.migrations (id, name, digest, breaking) values ($1, $2, $3, $4)',
      [id, name, digest, breaking],
    );
  });
}

async function inTransaction(client: PostgresClient, act: () => Promise<void>): Promise<void> {
  await client.query('begin');
  try {
    await act();
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(endedAnyway);
    throw error;
  }
}

/** Lock and transaction end with the session: the error that broke it is the one to tell. */
function endedAnyway(): void {
  return undefined;
}
