import { ActError } from './act-error.ts';
import { SELECT_KEY, toKey } from './key.ts';
import type { Key, KeyColumns } from './key.ts';
import { findTenant } from './find-tenant.ts';
import type { Queries } from './queries.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const PUBLIC_ID_START = /^(?:nz_)?([0-9A-Za-z]{4,12})$/;

/**
 * The key with this id, public id, or start of a public id (4 characters or more, `nz_` before it
 * or not). Throws ActError `key_not_found`, `key_ambiguous`.
 */
export async function findKey(queries: Queries, reference: string): Promise<Key> {
  const keys = await findCandidates(queries, reference);
  const [key, ...others] = keys;
  if (key === undefined) throw new ActError('key_not_found', `no key "${reference}"`);
  if (others.length > 0) {
    throw new ActError('key_ambiguous', `more than one key begins with "${reference}"`);
  }
  return key;
}

async function findCandidates(queries: Queries, reference: string): Promise<readonly Key[]> {
  if (UUID.test(reference)) {
    const { rows } = await queries.query<KeyColumns>(`${SELECT_KEY} where k.id = $1`, [reference]);
    return rows.map(toKey);
  }
  const start = PUBLIC_ID_START.exec(reference)?.[1];
  if (start === undefined) return [];
  const { rows } = await queries.query<KeyColumns>(
    `${SELECT_KEY} where starts_with(k.public_id, $1) limit 2`,
    [start],
  );
  return rows.map(toKey);
}

/**
 * What a check of a presented key needs beside the key itself. Never shown.
 */
export interface StoredSecret {
  readonly hash: string;
  /** Hex; null for a key made without a pepper. */
  readonly secretTag: string | null;
}

/** The key with exactly this public id and what proves its secret, or undefined. */
export async function findKeyWithSecret(
  queries: Queries,
  publicId: string,
): Promise<{ readonly key: Key; readonly stored: StoredSecret } | undefined> {
  const { rows } = await queries.query<KeyColumns & { hash: string; secret_tag: string | null }>(
    `select k.*, s.hash, encode(s.secret_tag, 'hex') as secret_tag
     from (${SELECT_KEY}) k join gateway.api_keys s on s.id = k.id where k.public_id = $1`,
    [publicId],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return { key: toKey(row), stored: { hash: row.hash, secretTag: row.secret_tag } };
}

/** Keys of one tenant, or all, newest first. Throws ActError `tenant_not_found`. */
export async function listKeys(queries: Queries, tenant?: string): Promise<readonly Key[]> {
  const tenantId = tenant === undefined ? null : (await findTenant(queries, tenant)).id;
  const { rows } = await queries.query<KeyColumns>(
    `${SELECT_KEY} where $1::uuid is null or k.tenant_id = $1::uuid
     order by t.slug, k.created_at desc, k.public_id`,
    [tenantId],
  );
  return rows.map(toKey);
}
