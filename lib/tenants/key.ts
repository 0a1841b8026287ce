import type { Limits } from '../shared/records.ts';
import { LIMIT_COLUMNS, toLimits } from './limit-columns.ts';
import type { LimitColumns } from './limit-columns.ts';
import type { TenantStatus } from './tenant.ts';

/** A key as the operator sees it: everything but what could be used or cracked. */
export interface Key {
  readonly id: string;
  readonly publicId: string;
  readonly tenantId: string;
  /** Slug of the tenant. */
  readonly tenant: string;
  readonly tenantStatus: TenantStatus;
  readonly name: string;
  readonly status: 'active' | 'revoked';
  readonly allowAllModels: boolean | null;
  readonly allowedModels: readonly string[] | null;
  readonly promptLog: boolean;
  readonly promptLogDays: number;
  readonly limits: Limits;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

export interface KeyColumns extends LimitColumns {
  readonly id: string;
  readonly public_id: string;
  readonly tenant_id: string;
  readonly tenant: string;
  readonly tenant_status: TenantStatus;
  readonly name: string;
  readonly status: 'active' | 'revoked';
  readonly allow_all_models: boolean | null;
  readonly allowed_models: string[] | null;
  readonly prompt_log: boolean;
  readonly prompt_log_ttl_days: number;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
}

/** To be followed by a `where` or `order by` over `k` (the key), `t` (its tenant), `l` (its limits). */
export const SELECT_KEY = `
  select k.id, k.public_id, k.tenant_id, t.slug as tenant, t.status as tenant_status, k.name,
    k.status, k.allow_all_models, k.allowed_models, k.prompt_log,
    k.prompt_log_ttl_days, k.created_at, k.updated_at, k.expires_at,
    k.revoked_at, ${LIMIT_COLUMNS.map((name) => `l.${name}`).join(', ')}
  from gateway.api_keys k join gateway.tenants t on t.id = k.tenant_id
    left join gateway.key_limits l on l.key_id = k.id`;

export function toKey(row: KeyColumns): Key {
  return {
    id: row.id,
    publicId: row.public_id,
    tenantId: row.tenant_id,
    tenant: row.tenant,
    tenantStatus: row.tenant_status,
    name: row.name,
    status: row.status,
    allowAllModels: row.allow_all_models,
    allowedModels: row.allowed_models,
    promptLog: row.prompt_log,
    promptLogDays: row.prompt_log_ttl_days,
    limits: toLimits(row),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  };
}
