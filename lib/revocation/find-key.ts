import type { Pool } from '../store/postgres.ts';
import type { KeyRow, TenantRow } from '../shared/records.ts';
import { KEY_JSON, KEY_TABLES, TENANT_JSON } from './row-json.ts';

const FIND = `
  select ${KEY_JSON} as key, ${TENANT_JSON} as tenant
  from ${KEY_TABLES}
  join gateway.tenants t on t.id = k.tenant_id
  left join gateway.tenant_limits m on m.tenant_id = t.id
  where k.public_id = $1`;

/** Reads one key with its tenant by public id. Rejects as the connection does. */
export function makeFindKey(
  pool: Pick<Pool, 'query'>,
): (publicId: string) => Promise<{ key: KeyRow; tenant: TenantRow } | undefined> {
  return async (publicId) => {
    const { rows } = await pool.query<{ key: KeyRow; tenant: TenantRow }>({
      name: 'find-key',
      text: FIND,
      values: [publicId],
    });
    return rows[0];
  };
}
