import type { KeyRow, ModelEntry, TenantRow } from '../shared/records.ts';
import type { ModelLists } from './model-list.ts';

export type KeyModels = Pick<KeyRow, 'keyId' | 'allowAllModels' | 'allowedModels'>;
export type TenantModels = Pick<TenantRow, 'tenantId' | 'allowAllModels' | 'allowedModels'>;

/** Whose rights are asked for; every Principal is one. */
export interface Holder {
  readonly key: KeyModels;
  readonly tenant: TenantModels;
}

/**
 * Whether a discovered model is in the holder's effective set (SPEC §3). The caller knows that the
 * model is discovered; here only the rules decide, and what no rule allows is denied.
 */
export function mayUse(lists: ModelLists, { key, tenant }: Holder, canonical: string): boolean {
  if (key.allowAllModels === true) return true;

  const own = key.allowedModels;
  if (own !== null && !lists.read(`key:${key.keyId}`, own).has(canonical)) return false;

  // A key that may not have all models, and has no list of its own, gets its tenant's list even
  // where the tenant itself may use everything.
  const tenantsAll = tenant.allowAllModels && (key.allowAllModels === null || own !== null);
  if (tenantsAll) return true;
  return lists.read(`tenant:${tenant.tenantId}`, tenant.allowedModels).has(canonical);
}

/** What of the discovered models the holder may use, in the given order. */
export function filterModels(
  lists: ModelLists,
  holder: Holder,
  models: readonly ModelEntry[],
): ModelEntry[] {
  return models.filter((model) => mayUse(lists, holder, model.key));
}
