import { findKey } from './find-key.ts';
import type { Key } from './key.ts';
import type { Queries } from './queries.ts';

export interface Revocation {
  readonly key: Key;
  /** Text of the transaction's id; null: the key was revoked before, and nothing was written. */
  readonly xid: string | null;
}

/**
 * Inserts into gateway.revocations, which is the act (SPEC §10): a trigger marks the key in the same
 * transaction and tells the gateways. Throws ActError `key_not_found`, `key_ambiguous`.
 */
export async function revokeKey(
  queries: Queries,
  reference: string,
  reason: string | null,
): Promise<Revocation> {
  const { id } = await findKey(queries, reference);
  const { rows } = await queries.query<{ xid: string }>(
    `insert into gateway.revocations (key_id, reason)
     select id, $2 from gateway.api_keys where id = $1 and status <> 'revoked' for update
     returning xid::text as xid`,
    [id, reason],
  );
  return { key: await findKey(queries, id), xid: rows[0]?.xid ?? null };
}
