import type { Tenant } from '../../lib/tenants/tenant.ts';
import { toLimitsDocument, toLimitsFacts, showTime, toTime } from './limits-view.ts';
import type { LimitsDocument } from './limits-view.ts';

/** A tenant in `--json`. */
export interface TenantDocument {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly status: string;
  readonly limits: LimitsDocument;
  readonly allow_runtime_options: boolean;
  readonly max_num_ctx: number | null;
  readonly audit_retention_days: number;
  readonly active_keys: number;
  readonly created_at: string;
  readonly updated_at: string;
}

export function toTenantDocument(tenant: Tenant): TenantDocument {
  return {
    id: tenant.id,
    slug: tenant.slug,
    name: tenant.name,
    status: tenant.status,
    limits: toLimitsDocument(tenant),
    allow_runtime_options: tenant.allowRuntimeOptions,
    max_num_ctx: tenant.maxNumCtx,
    audit_retention_days: tenant.auditRetentionDays,
    active_keys: tenant.activeKeys,
    created_at: toTime(tenant.createdAt),
    updated_at: toTime(tenant.updatedAt),
  };
}

export function toTenantFacts(tenant: Tenant): Readonly<Record<string, string>> {
  return {
    slug: tenant.slug,
    name: tenant.name,
    id: tenant.id,
    status: tenant.status,
    'active keys': String(tenant.activeKeys),
    ...toLimitsFacts(tenant.limits, showTenantModels(tenant)),
    'runtime options': tenant.allowRuntimeOptions ? 'allowed' : 'dropped',
    'max num_ctx': tenant.maxNumCtx === null ? 'no limit' : String(tenant.maxNumCtx),
    'audit kept': `${tenant.auditRetentionDays} days`,
    created: showTime(tenant.createdAt),
    changed: showTime(tenant.updatedAt),
  };
}

export function showTenantModels(tenant: Pick<Tenant, 'allowAllModels' | 'allowedModels'>): string {
  if (tenant.allowAllModels) return 'all';
  return isDenied(tenant) ? 'none' : tenant.allowedModels.join(', ');
}

/** Whether its keys can use nothing, which is what a new tenant starts with. */
export function isDenied(tenant: Pick<Tenant, 'allowAllModels' | 'allowedModels'>): boolean {
  return !tenant.allowAllModels && tenant.allowedModels.length === 0;
}
