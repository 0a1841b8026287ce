import type { Limits } from '../shared/records.ts';
import { LIMIT_COLUMNS, toLimits } from './limit-columns.ts';
import type { LimitColumns } from './limit-columns.ts';

export type TenantStatus = 'active' | 'suspended' | 'closed';

/** A tenant as the operator sees it. */
export interface Tenant {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly status: TenantStatus;
  readonly allowAllModels: boolean;
  readonly allowedModels: readonly string[];
  readonly allowRuntimeOptions: boolean;
  readonly maxNumCtx: number | null;
  readonly auditRetentionDays: number;
  readonly limits: Limits;
  readonly activeKeys: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface TenantColumns extends LimitColumns {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly status: TenantStatus;
  readonly allow_all_models: boolean;
  readonly allowed_models: string[];
  readonly allow_runtime_options: boolean;
  readonly max_num_ctx: number | null;
  readonly audit_retention_days: number;
  readonly active_keys: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** To be followed by a `where` or `order by` over `t` (the tenant) and `l` (its limits). */
export const SELECT_TENANT = `
  select t.id, t.slug, t.name, t.status, t.allow_all_models, t.allowed_models,
    t.allow_runtime_options, t.max_num_ctx, t.audit_retention_days, t.created_at, t.updated_at,
    ${LIMIT_COLUMNS.map((name) => `l.${name}`).join(', ')},
    (select count(*) from gateway.api_keys k
      where k.tenant_id = t.id and k.status = 'active'
        and (k.expires_at is null or k.expires_at > now())) as active_keys
  from gateway.tenants t left join gateway.tenant_limits l on l.tenant_id = t.id`;

export function toTenant(row: TenantColumns): Tenant {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    status: row.status,
    allowAllModels: row.allow_all_models,
    allowedModels: row.allowed_models,
    allowRuntimeOptions: row.allow_runtime_options,
    maxNumCtx: row.max_num_ctx,
    auditRetentionDays: row.audit_retention_days,
    limits: toLimits(row),
    activeKeys: row.active_keys,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
