import type { Connection } from '../store/postgres.ts';
import type { PromptOwner, SealedPrompt } from './seal-prompt.ts';

export interface PromptRow extends PromptOwner, SealedPrompt {
  readonly cut: boolean;
}

/**
 * Writes an entry, and never twice. A key that keeps nothing any more, or is gone, gets none: what was
 * asked for counts when it is written. One a statement: bytes that are a parameter by themselves go out
 * as they are, in a list they would be written as text on the thread that streams.
 */
export async function insertPrompt(connection: Connection, row: PromptRow): Promise<void> {
  const { id, tenantId, keyId, cut, nonce, sealed } = row;
  await connection.query(INSERT, [id, tenantId, keyId, cut, nonce, sealed]);
}

const INSERT = `
  insert into gateway.prompt_log (id, tenant_id, key_id, expires_at, cut, nonce, sealed)
  select $1, tenant_id, id, now() + make_interval(days => prompt_log_ttl_days), $4, $5, $6
  from gateway.api_keys where tenant_id = $2 and id = $3 and prompt_log
  on conflict (id) do nothing`;
