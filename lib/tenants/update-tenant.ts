import type { Limits } from '../shared/records.ts';
import { ActError } from './act-error.ts';
import { toChange, toColumns, toLimitColumns } from './change.ts';
import { findTenant } from './find-tenant.ts';
import type { Queries } from './queries.ts';
import type { Tenant, TenantStatus } from './tenant.ts';

/** What is to change; a member that is absent stays as it is, a null limit is no limit. */
export interface TenantChange {
  readonly slug?: string | undefined;
  readonly name?: string | undefined;
  readonly allowAllModels?: boolean | undefined;
  readonly allowedModels?: readonly string[] | undefined;
  readonly allowRuntimeOptions?: boolean | undefined;
  readonly maxNumCtx?: number | null | undefined;
  readonly auditRetentionDays?: number | undefined;
  readonly limits: Partial<Limits>;
}

/** Changes tenant and limits in one statement. Throws ActError `tenant_not_found`, `tenant_exists`. */
export async function updateTenant(
  queries: Queries,
  slugOrId: string,
  change: TenantChange,
): Promise<Tenant> {
  const { id } = await findTenant(queries, slugOrId);
  await refuseTakenSlug(queries, id, change.slug);
  const own = toColumns({
    slug: change.slug,
    name: change.name,
    allow_all_models: change.allowAllModels,
    allowed_models: change.allowedModels,
    allow_runtime_options: change.allowRuntimeOptions,
    max_num_ctx: change.maxNumCtx,
    audit_retention_days: change.auditRetentionDays,
  });
  const target = {
    table: 'tenants',
    limitsTable: 'tenant_limits',
    limitsKey: 'tenant_id',
    id,
  } as const;
  const statement = toChange(target, own, toLimitColumns(change.limits));
  if (statement !== undefined) await queries.query(statement.text, statement.values);
  return findTenant(queries, id);
}

/** For a good message; the unique constraint stands behind it. */
async function refuseTakenSlug(
  queries: Queries,
  id: string,
  slug: string | undefined,
): Promise<void> {
  if (slug === undefined) return;
  const { rows } = await queries.query(
    'select from gateway.tenants where slug = $1 and id <> $2::uuid',
    [slug, id],
  );
  if (rows.length > 0) throw new ActError('tenant_exists', `there is a tenant "${slug}"`);
}

/** What a change of status came to. `already`: it had that status before. */
export interface StatusChange {
  readonly tenant: Tenant;
  readonly already: boolean;
}

/**
 * Suspends or resumes. A closed tenant stays closed: ActError `tenant_closed`.
 * Throws ActError `tenant_not_found` too.
 */
export async function setTenantStatus(
  queries: Queries,
  slugOrId: string,
  status: Exclude<TenantStatus, 'closed'>,
): Promise<StatusChange> {
  const { id } = await findTenant(queries, slugOrId);
  const { rows } = await queries.query(
    `update gateway.tenants set status = $2
     where id = $1 and status <> 'closed' and status <> $2 returning id`,
    [id, status],
  );
  const tenant = await findTenant(queries, id);
  if (tenant.status === 'closed')
    throw new ActError('tenant_closed', `tenant "${tenant.slug}" is closed`);
  return { tenant, already: rows.length === 0 };
}
