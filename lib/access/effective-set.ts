import type { KeyRow, ModelEntry, TenantRow } from '../shared/records.ts';
import type { ModelLists } from './model-list.ts';

type KeyModels = Pick<KeyRow, 'keyId' | 'allowAllModels' | 'allowedModels'>;
type TenantModels = Pick<TenantRow, 'tenantId' | 'allowAllModels' | 'allowedModels'>;

/** Whose rights are asked for; every Principal is one. */
export interface Holder {
  readonly key: KeyModels;
  readonly tenant: TenantModels;
}

/** Says of a discovered model, by its canonical name, whether it is in a holder's effective set. */
type MayUse = (canonical: string) => boolean;

/**
 * The holder's rights (SPEC §3), its lists looked up once for all models that are asked about. The
 * caller knows that a model is discovered; here only the rules decide, and what no rule allows is
 * denied.
 */
export function compileRights(lists: ModelLists, { key, tenant }: Holder): MayUse {
  if (key.allowAllModels === true) return () => true;

  const own = key.allowedModels;
  const ownList = own === null ? null : lists.read(`key:${key.keyId}`, own);
  // A key that may not have all models, and has no list of its own, gets its tenant's list even
  // where the tenant itself may use everything.
  const tenantsAll = tenant.allowAllModels && (key.allowAllModels === null || own !== null);
  const tenantList = tenantsAll
    ? null
    : lists.read(`tenant:${tenant.tenantId}`, tenant.allowedModels);
  return (canonical) => ownList?.has(canonical) !== false && tenantList?.has(canonical) !== false;
}

/** Whether one discovered model is in the holder's effective set. */
export function mayUse(lists: ModelLists, holder: Holder, canonical: string): boolean {
  return compileRights(lists, holder)(canonical);
}

/** What of the discovered models the holder may use, in the given order. */
export function filterModels(
  lists: ModelLists,
  holder: Holder,
  models: readonly ModelEntry[],
): ModelEntry[] {
  const may = compileRights(lists, holder);
  return models.filter(({ key }) => may(key));
}
