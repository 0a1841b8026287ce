import type { Connection } from './postgres.ts';

/** This Postgres cannot carry the gateway; the text says why and can be shown. */
export class UnfitPostgresError extends Error {
  override readonly name = 'UnfitPostgresError';
}

const OLDEST_MAJOR = 14;

interface Facts {
  readonly major: number;
  readonly version: string;
  readonly room: number;
}

/** A limit of the role or the database is -1 where there is none. PG 16 has reservations of its own. */
const READ_FACTS = `
  select
    current_setting('server_version_num')::int / 10000 as major,
    current_setting('server_version') as version,
    least(
      current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true), '0')::int,
      (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user),
      (select nullif(datconnlimit, -1) from pg_database where datname = current_database())
    ) as room`;

/**
 * Refuses a Postgres that is too old, or that would refuse some of the `connections` that this
 * gateway opens at its busiest: it would be found out under load only (DESIGN §3).
 *
 * @throws UnfitPostgresError; anything else means that Postgres could not be asked
 */
export async function checkPostgres(
  connection: Connection,
  { connections }: { readonly connections: number },
): Promise<void> {
  const { rows } = await connection.query<Facts>(READ_FACTS);
  const { major = 0, version = 'unknown', room = 0 } = rows[0] ?? {};
  if (major < OLDEST_MAJOR) {
    throw new UnfitPostgresError(
      `Postgres is of version ${version}; ${OLDEST_MAJOR} or newer is needed`,
    );
  }
  if (room < connections) {
    throw new UnfitPostgresError(
      `Postgres has room for ${room} connections (max_connections less what is reserved, or a ` +
        `limit of the role or the database); this gateway needs up to ${connections}: raise that, ` +
        'or lower NZGW_WORKERS',
    );
  }
}

/** Whether what was committed survives a crash of Postgres: what is drained from Redis is deleted there. */
export async function keepsCommits(connection: Connection): Promise<boolean> {
  const { rows } = await connection.query<{ mode: string }>(
    "select current_setting('synchronous_commit') as mode",
  );
  return rows[0]?.mode !== 'off';
}
