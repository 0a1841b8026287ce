import type { Pool } from '../store/postgres.ts';

const RENEW = `
  update gateway.api_keys
  set hash = coalesce($3, hash), secret_tag = coalesce($4, secret_tag)
  where id = $1 and version = $2`;

/**
 * Stores a hash or a tag made anew from a proved key, unless the row has changed since it was read.
 * Rejects as the connection does.
 */
export function makeRenewKey(
  pool: Pick<Pool, 'query'>,
): (
  keyId: string,
  version: number,
  renewed: { readonly hash?: string; readonly secretTag?: Buffer },
) => Promise<void> {
  return async (keyId, version, { hash = null, secretTag = null }) => {
    await pool.query(RENEW, [keyId, version, hash, secretTag]);
  };
}
