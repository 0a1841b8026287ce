import { ActError } from './act-error.ts';
import type { Queries } from './queries.ts';
import { SELECT_TENANT, toTenant } from './tenant.ts';
import type { Tenant, TenantColumns } from './tenant.ts';

/** The tenant with this slug or id. Throws ActError `tenant_not_found`. */
export async function findTenant(queries: Queries, slugOrId: string): Promise<Tenant> {
  const { rows } = await queries.query<TenantColumns>(
    `${SELECT_TENANT} where t.slug = $1 or t.id::text = lower($1) order by t.slug = $1 desc limit 1`,
    [slugOrId],
  );
  const [row] = rows;
  if (row === undefined) throw new ActError('tenant_not_found', `no tenant "${slugOrId}"`);
  return toTenant(row);
}

/** All tenants, by slug. */
export async function listTenants(queries: Queries): Promise<readonly Tenant[]> {
  const { rows } = await queries.query<TenantColumns>(`${SELECT_TENANT} order by t.slug`);
  return rows.map(toTenant);
}
