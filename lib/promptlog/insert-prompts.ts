import type { Connection } from '../store/postgres.ts';
import type { PromptOwner, SealedPrompt } from './seal-prompt.ts';

export interface PromptRow extends PromptOwner, SealedPrompt {
  readonly cut: boolean;
}

/**
 * Writes entries in one statement, and none of them twice. A key that keeps nothing any more, or is
 * gone, gets none: what was asked for counts when it is written.
 */
export async function insertPrompts(
  connection: Connection,
  rows: readonly PromptRow[],
): Promise<void> {
  await connection.query(INSERT, [
    rows.map(({ id }) => id),
    rows.map(({ tenantId }) => tenantId),
    rows.map(({ keyId }) => keyId),
    rows.map(({ cut }) => cut),
    rows.map(({ nonce }) => nonce),
    rows.map(({ sealed }) => sealed),
  ]);
}

const INSERT = `
  insert into gateway.prompt_log (id, tenant_id, key_id, expires_at, cut, nonce, sealed)
  select e.id, k.tenant_id, k.id, now() + make_interval(days => k.prompt_log_ttl_days), e.cut,
    e.nonce, e.sealed
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::boolean[], $5::bytea[], $6::bytea[])
      as e (id, tenant_id, key_id, cut, nonce, sealed)
    join gateway.api_keys k on k.id = e.key_id and k.tenant_id = e.tenant_id
  where k.prompt_log
  on conflict (id) do nothing`;
