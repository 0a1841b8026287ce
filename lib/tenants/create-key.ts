import type { Limits } from '../shared/records.ts';
import { ActError } from './act-error.ts';
import { findKey } from './find-key.ts';
import { findTenant } from './find-tenant.ts';
import type { Key } from './key.ts';
import { LIMIT_COLUMNS, toLimitValues } from './limit-columns.ts';
import type { Queries } from './queries.ts';
import type { Tenant } from './tenant.ts';

/** What is stored of a key: never the key itself. */
export interface NewKey {
  readonly publicId: string;
  /** Argon2id in PHC form. */
  readonly hash: string;
  /** 16 bytes, SPEC §4. */
  readonly secretTag: Buffer;
  readonly name: string;
  readonly expiresAt: Date | null;
  readonly allowAllModels: boolean | null;
  readonly allowedModels: readonly string[] | null;
  /** Absent: no. */
  readonly promptLog?: boolean | undefined;
  /** Absent: 7 (SPEC §11). */
  readonly promptLogDays?: number | undefined;
  readonly limits: Limits;
}

const PROMPT_LOG_DAYS = 7;

/** The tenant, if a key may be made for it. Throws ActError `tenant_not_found`, `tenant_closed`. */
export async function findOpenTenant(queries: Queries, slugOrId: string): Promise<Tenant> {
  const tenant = await findTenant(queries, slugOrId);
  if (tenant.status === 'closed') throw closed(tenant.slug);
  return tenant;
}

/** The key and its limits in one statement. Throws ActError `tenant_closed`, if it just closed. */
export async function createKey(
  queries: Queries,
  tenant: { readonly id: string; readonly slug: string },
  wanted: NewKey,
): Promise<Key> {
  const { rows } = await queries.query<{ id: string }>(INSERT, [
    tenant.id,
    wanted.publicId,
    wanted.name,
    wanted.hash,
    wanted.secretTag,
    wanted.expiresAt,
    wanted.allowAllModels,
    wanted.allowedModels,
    wanted.promptLog ?? false,
    wanted.promptLogDays ?? PROMPT_LOG_DAYS,
    ...toLimitValues(wanted.limits),
  ]);
  const [row] = rows;
  if (row === undefined) throw closed(tenant.slug);
  return findKey(queries, row.id);
}

function closed(slug: string): ActError {
  return new ActError('tenant_closed', `tenant "${slug}" is closed`);
}

const INSERT = `
  with key as (
    insert into gateway.api_keys (tenant_id, public_id, name, hash, secret_tag, expires_at,
      allow_all_models, allowed_models, prompt_log, prompt_log_ttl_days)
    select id, $2::text, $3::text, $4::text, $5::bytea, $6::timestamptz, $7::boolean, $8::text[],
      $9::boolean, $10::integer
    from gateway.tenants where id = $1 and status <> 'closed'
    returning id
  ), limits as (
    insert into gateway.key_limits (key_id, ${LIMIT_COLUMNS.join(', ')})
    select id, $11::integer, $12::bigint, $13::integer, $14::bigint, $15::gateway.budget_period,
      $16::integer
    from key
  )
  select id from key`;
