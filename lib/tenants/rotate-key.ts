import { ActError } from './act-error.ts';
import { findKey } from './find-key.ts';
import type { Key } from './key.ts';
import { LIMIT_COLUMNS } from './limit-columns.ts';
import type { Queries } from './queries.ts';

/** What is new of the next key; all else is the old one's. */
export interface NextSecret {
  readonly publicId: string;
  /** Argon2id in PHC form. */
  readonly hash: string;
  /** 16 bytes, SPEC §4. */
  readonly secretTag: Buffer;
}

export interface Rotation {
  readonly key: Key;
  /** As it is now: it ends after the grace, or has ended. */
  readonly old: Key;
  /** Text of the transaction's id where the old key was revoked; null where it has a grace. */
  readonly xid: string | null;
}

/**
 * Makes a key with the limits, models and expiry of another, which ends after `graceSeconds`, or at
 * once for 0. One statement: never are there two keys for good, or none. A key that would end sooner
 * by itself does. Throws ActError `key_not_found`, `key_ambiguous`, `key_ended`.
 */
export async function rotateKey(
  queries: Queries,
  reference: string,
  next: NextSecret,
  graceSeconds: number,
): Promise<Rotation> {
  const { id, publicId } = await findKey(queries, reference);
  const { rows } = await queries.query<{ id: string; xid: string | null }>(ROTATE, [
    id,
    next.publicId,
    next.hash,
    next.secretTag,
    graceSeconds,
  ]);
  const [row] = rows;
  if (row === undefined) {
    throw new ActError(
      'key_ended',
      `key nz_${publicId} is revoked or expired, or its tenant closed`,
    );
  }
  return { key: await findKey(queries, row.id), old: await findKey(queries, id), xid: row.xid };
}

const COPIED =
  'name, expires_at, allow_all_models, allowed_models, prompt_log, prompt_log_ttl_days';

const ROTATE = `
  with old as (
    select id, tenant_id, ${COPIED} from gateway.api_keys
    where id = $1 and status = 'active' and (expires_at is null or expires_at > now())
      and exists (select from gateway.tenants t where t.id = tenant_id and t.status <> 'closed')
    for update
  ), key as (
    insert into gateway.api_keys (tenant_id, public_id, hash, secret_tag, ${COPIED})
    select tenant_id, $2::text, $3::text, $4::bytea, ${COPIED} from old
    returning id
  ), limits as (
    insert into gateway.key_limits (key_id, ${LIMIT_COLUMNS.join(', ')})
    select key.id, ${LIMIT_COLUMNS.map((name) => `l.${name}`).join(', ')}
    from key, gateway.key_limits l where l.key_id = $1
  ), grace as (
    update gateway.api_keys
    set expires_at = least(expires_at, now() + make_interval(secs => $5::double precision))
    where $5 > 0 and id in (select id from old)
  ), ended as (
    insert into gateway.revocations (key_id, reason)
    select id, 'rotated' from old where $5 = 0
    returning xid::text as xid
  )
  select key.id, (select xid from ended) as xid from key`;
