import { authorise } from '../access/authorise.ts';
import type { ModelCatalogue } from '../access/authorise.ts';
import { mayUse } from '../access/effective-set.ts';
import type { Holder } from '../access/effective-set.ts';
import type { Grant } from '../access/grant.ts';
import { openModelLists } from '../access/model-list.ts';
import type { ModelLists } from '../access/model-list.ts';
import { canonicalise } from '../access/model-name.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import type { Key } from '../tenants/key.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { because } from './reason.ts';
import type { Reason } from './reason.ts';

const MAX_NAMES = 2_000;

/** Whether the gateway would accept the key itself (SPEC §4), first reason first. */
export function judgeStanding(key: Key, tenant: Tenant, nowMs: number): readonly Reason[] {
  const reasons: Reason[] = [];
  if (key.status === 'revoked') reasons.push(because('invalid_api_key', 'the key is revoked'));
  if (key.expiresAt !== null && key.expiresAt.getTime() <= nowMs) {
    reasons.push(because('invalid_api_key', 'the key is expired'));
  }
  if (tenant.status === 'closed') {
    reasons.push(because('invalid_api_key', 'the tenant is closed'));
  }
  if (tenant.status === 'suspended') {
    reasons.push(because('tenant_suspended', 'the tenant is suspended'));
  }
  return reasons;
}

/** The model that a request would get, or why none. Its client is told less than the operator is. */
export function judgeModel(
  models: ModelCatalogue,
  holder: Holder,
  name: string,
): { readonly grant: Grant | null; readonly reason: Reason | null } {
  const lists = openModelLists(MAX_NAMES);
  try {
    return { grant: authorise({ models, lists }, holder, name), reason: null };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const text = describeRefusal(error, { models, lists, holder, name });
    return { grant: null, reason: because(error.code, text) };
  }
}

interface Refused {
  readonly models: ModelCatalogue;
  readonly lists: ModelLists;
  readonly holder: Holder;
  readonly name: string;
}

function describeRefusal({ code }: GatewayError, { models, lists, holder, name }: Refused): string {
  if (code === 'models_unavailable') {
    return models.current() === undefined
      ? 'no gateway has told of any upstream’s models lately'
      : 'the upstreams that have the model are silent';
  }
  const canonical = canonicalise(name);
  if (canonical === undefined) return 'this is no name of a model';
  return mayUse(lists, holder, canonical)
    ? 'no upstream has the model'
    : 'neither key nor tenant allows the model';
}

/** The shapes that the rules of access know (SPEC §3). */
export function toHolder(key: Key, tenant: Tenant): Holder {
  return {
    key: {
      keyId: key.id,
      allowAllModels: key.allowAllModels,
      allowedModels: key.allowedModels,
    },
    tenant: {
      tenantId: tenant.id,
      allowAllModels: tenant.allowAllModels,
      allowedModels: tenant.allowedModels,
    },
  };
}
