import type { Connection } from '../../lib/store/postgres.ts';

/** A hash in the form that the schema demands; it is of nothing. */
export const SOME_HASH = '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$c29tZWhhc2hvZm5vdGhpbmc';

let made = 0;

/** Inserts a tenant with a slug of its own and returns its id. */
export async function insertTenant(connection: Connection): Promise<string> {
  made += 1;
  return insertOne(connection, 'insert into gateway.tenants (slug, name) values ($1, $1)', [
    `tenant-${made}`,
  ]);
}

/** Inserts an active key of the tenant and returns its id. */
export async function insertKey(connection: Connection, tenantId: string): Promise<string> {
  made += 1;
  const publicId = `key${String(made).padStart(9, '0')}`;
  return insertOne(
    connection,
    'insert into gateway.api_keys (tenant_id, public_id, hash) values ($1, $2, $3)',
    [tenantId, publicId, SOME_HASH],
  );
}

async function insertOne(
  connection: Connection,
  insert: string,
  values: readonly string[],
): Promise<string> {
  const { rows } = await connection.query<{ id: string }>(`${insert} returning id`, [...values]);
  if (!rows[0]) throw new Error('nothing was inserted');
  return rows[0].id;
}
