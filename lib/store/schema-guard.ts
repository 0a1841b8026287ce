import type { Migration } from './migration-files.ts';
import { readMigrationStatus } from './migrations.ts';
import type { Connection } from './postgres.ts';
import { SchemaError } from './schema-error.ts';

/**
 * Makes sure that this program may run on the database (SPEC §14). A newer schema is accepted as
 * long as nothing in it is marked breaking.
 * @throws SchemaError with the command to run.
 */
export async function checkSchema(
  connection: Connection,
  known?: readonly Migration[],
): Promise<void> {
  const status = await readMigrationStatus(connection, known);
  if (status.applied.length === 0) throw missing();
  const [edited] = status.edited;
  if (edited) {
    throw new SchemaError(
      'edited',
      `migration ${edited.name} of the database is not the one of this version: ` +
        'run nzgw migrate --status',
    );
  }
  const breaking = status.unknown.find((migration) => migration.breaking);
  if (breaking) {
    throw new SchemaError(
      'newer',
      `the database was migrated by a newer version (${breaking.name}): upgrade this program; ` +
        'nzgw migrate --status shows what it has',
    );
  }
  const [pending] = status.pending;
  if (pending) {
    throw new SchemaError(
      'older',
      `the database lacks ${pending.name}, which this version needs: run nzgw migrate`,
    );
  }
}

/**
 * How many shards Redis has (DESIGN §5), fixed when the database was first migrated.
 * @throws SchemaError `missing` if it never was.
 */
export async function readShards(connection: Connection): Promise<number> {
  const { shards } = await readMigrationStatus(connection, []);
  if (shards === null) throw missing();
  return shards;
}

function missing(): SchemaError {
  return new SchemaError('missing', 'the database has no schema yet: run nzgw migrate');
}
