import { hashKey } from '../../lib/auth/hash-key.ts';
import { makeKey } from '../../lib/auth/key-format.ts';
import { makeSecretTag } from '../../lib/auth/secret-tag.ts';
import type { PostgresClient } from '../../lib/store/postgres.ts';

export const TEST_PEPPER = 'a pepper of at least thirty-two bytes';
export const TEST_COST = { memoryKib: 8_192, passes: 1, lanes: 1 };

export interface SeededKey {
  readonly key: string;
  readonly publicId: string;
  readonly keyId: string;
  readonly tenantId: string;
}

/** A tenant with all models, by plain SQL. */
export async function seedTenant(sql: PostgresClient, slug: string): Promise<string> {
  const { rows } = await sql.query<{ id: string }>(
    'insert into gateway.tenants (slug, name, allow_all_models) values ($1, $1, true) returning id',
    [slug],
  );
  return rows[0]?.id ?? '';
}

/** A key with a cheap hash and the tag of the test pepper, by plain SQL. */
export async function seedKey(sql: PostgresClient, tenantId: string): Promise<SeededKey> {
  const { key, publicId } = makeKey();
  const { rows } = await sql.query<{ id: string }>(
    `insert into gateway.api_keys (tenant_id, public_id, hash, secret_tag)
     values ($1, $2, $3, $4) returning id`,
    [tenantId, publicId, await hashKey(key, TEST_COST), makeSecretTag(TEST_PEPPER, key)],
  );
  return { key, publicId, keyId: rows[0]?.id ?? '', tenantId };
}
