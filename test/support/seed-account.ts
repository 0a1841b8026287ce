import type { PostgresClient } from '../../lib/store/postgres.ts';
import { KEY_ID, TENANT_ID } from './sample-request.ts';

const HASH = '$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2g';

/**
 * The tenant and the key of `sampleEntry`, as the ledger wants them to be there. Its rows are kept for
 * as long as any: the entry's time stands still while the clock goes on.
 */
export async function seedAccount(
  sql: PostgresClient,
  { tenantId = TENANT_ID, keyId = KEY_ID, slug = 'acme', publicId = 'AAAAAAAAAAAA' } = {},
): Promise<void> {
  await sql.query(
    'insert into gateway.tenants (id, slug, name, audit_retention_days) values ($1, $2, $2, 3650)',
    [tenantId, slug],
  );
  await sql.query(
    'insert into gateway.api_keys (id, tenant_id, public_id, hash) values ($1, $2, $3, $4)',
    [keyId, tenantId, publicId, HASH],
  );
}
