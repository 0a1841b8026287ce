import type { Limits } from '../shared/records.ts';
import { toChange, toColumns, toLimitColumns } from './change.ts';
import { findKey } from './find-key.ts';
import type { Key } from './key.ts';
import type { Queries } from './queries.ts';

/** What is to change; a member that is absent stays as it is, null takes a restriction away. */
export interface KeyChange {
  readonly name?: string | undefined;
  readonly expiresAt?: Date | null | undefined;
  readonly allowAllModels?: boolean | null | undefined;
  readonly allowedModels?: readonly string[] | null | undefined;
  readonly promptLog?: boolean | undefined;
  readonly promptLogDays?: number | undefined;
  readonly limits: Partial<Limits>;
}

/** Changes key and limits in one statement. Throws ActError `key_not_found`, `key_ambiguous`. */
export async function updateKey(
  queries: Queries,
  reference: string,
  change: KeyChange,
): Promise<Key> {
  const { id } = await findKey(queries, reference);
  const own = toColumns({
    name: change.name,
    expires_at: change.expiresAt,
    allow_all_models: change.allowAllModels,
    allowed_models: change.allowedModels,
    prompt_log: change.promptLog,
    prompt_log_ttl_days: change.promptLogDays,
  });
  const target = { table: 'api_keys', limitsTable: 'key_limits', limitsKey: 'key_id', id } as const;
  const statement = toChange(target, own, toLimitColumns(change.limits));
  if (statement !== undefined) await queries.query(statement.text, statement.values);
  return findKey(queries, id);
}
