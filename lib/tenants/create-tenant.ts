import type { Limits } from '../shared/records.ts';
import { ActError } from './act-error.ts';
import { LIMIT_COLUMNS, toLimitValues } from './limit-columns.ts';
import { onlyRow } from './queries.ts';
import type { Queries } from './queries.ts';
import type { Tenant } from './tenant.ts';

export interface NewTenant {
  readonly slug: string;
  readonly name: string;
  readonly allowAllModels: boolean;
  readonly allowedModels: readonly string[];
  readonly allowRuntimeOptions: boolean;
  readonly maxNumCtx: number | null;
  readonly auditRetentionDays: number;
  readonly limits: Limits;
}

/** The tenant and its limits in one statement. Throws ActError `tenant_exists`. */
export async function createTenant(queries: Queries, wanted: NewTenant): Promise<Tenant> {
  const { rows } = await queries.query<Inserted>(INSERT, [
    wanted.slug,
    wanted.name,
    wanted.allowAllModels,
    wanted.allowedModels,
    wanted.allowRuntimeOptions,
    wanted.maxNumCtx,
    wanted.auditRetentionDays,
    ...toLimitValues(wanted.limits),
  ]);
  if (rows.length === 0) throw new ActError('tenant_exists', `there is a tenant "${wanted.slug}"`);

  const { id, created_at: createdAt } = onlyRow({ rows });
  return { ...wanted, id, status: 'active', activeKeys: 0, createdAt, updatedAt: createdAt };
}

interface Inserted {
  readonly id: string;
  readonly created_at: Date;
}

const INSERT = `
  with tenant as (
    insert into gateway.tenants (slug, name, allow_all_models, allowed_models,
      allow_runtime_options, max_num_ctx, audit_retention_days)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (slug) do nothing
    returning id, created_at
  ), limits as (
    insert into gateway.tenant_limits (tenant_id, ${LIMIT_COLUMNS.join(', ')})
    select id, $8::integer, $9::bigint, $10::integer, $11::bigint, $12::gateway.budget_period,
      $13::integer
    from tenant
  )
  select id, created_at from tenant`;
