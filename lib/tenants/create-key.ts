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
  readonly limits: Limits;
}

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
      allow_all_models, allowed_models)
    select id, $2::text, $3::text, $4::text, $5::bytea, $6::timestamptz, $7::boolean, $8::text[]
    from gateway.tenants where id = $1 and status <> 'closed'
    returning id
  ), limits as (
    insert into gateway.key_limits (key_id, ${LIMIT_COLUMNS.join(', ')})
    select id, $9::integer, $10::bigint, $11::integer, $12::bigint, $13::gateway.budget_period,
      $14::integer
    from key
  )
  select id from key`;
