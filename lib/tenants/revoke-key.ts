import { findKey } from './find-key.ts';
import type { Key } from './key.ts';
import { onlyRow } from './queries.ts';
import type { Queries } from './queries.ts';

export interface Revocation {
  readonly key: Key;
  /** It was revoked before. */
  readonly already: boolean;
  /** Text of the transaction's id. */
  readonly xid: string;
}

/**
 * Inserts into gateway.revocations, which is the act (SPEC §10): a trigger marks the key in the same
 * transaction and tells the gateways. Of a key that is revoked it changes nothing, but the gateways
 * are told again, and answer. Throws ActError `key_not_found`, `key_ambiguous`.
 */
export async function revokeKey(
  queries: Queries,
  reference: string,
  reason: string | null,
): Promise<Revocation> {
  const { id } = await findKey(queries, reference);
  const { already, xid } = onlyRow(
    await queries.query<{ already: boolean; xid: string }>(REVOKE, [id, reason]),
  );
  return { key: await findKey(queries, id), already, xid };
}

const REVOKE = `
  with before as (
    select id, status from gateway.api_keys where id = $1 for update
  ), revocation as (
    insert into gateway.revocations (key_id, reason) select id, $2 from before
    returning xid::text as xid
  )
  select before.status = 'revoked' as already, revocation.xid from before, revocation`;
