import { GatewayError } from '../errors/gateway-error.ts';
import type { Holder } from './effective-set.ts';
import { mayUse } from './effective-set.ts';
import type { Grant } from './grant.ts';
import type { ModelLists } from './model-list.ts';
import { canonicalise } from './model-name.ts';

const RETRY_AFTER_MS = 1_000;

/** The discovered models, as far as they can be trusted at this moment. */
export interface ModelCatalogue {
  /** Undefined while no upstream's snapshot is young enough. Asked anew for each request. */
  current(): FreshModels | undefined;
}

/** What the upstreams with a young snapshot offer. */
export interface FreshModels {
  /** Its upstreams are none where only a snapshot that is too old has the model. */
  find(canonical: string): Grant | undefined;
}

/** What this step needs; made once a worker. */
export interface Access {
  readonly models: ModelCatalogue;
  readonly lists: ModelLists;
}

/**
 * Grants the use of a model by whatever alias the client calls it. Throws `models_unavailable`
 * where discovery cannot be trusted, else `model_not_allowed` with one text, whether the model
 * exists or not (SPEC §3).
 */
export function authorise(access: Access, holder: Holder, name: string): Grant {
  const models = trustModels(access.models);
  const canonical = canonicalise(name);
  if (canonical === undefined || !mayUse(access.lists, holder, canonical)) throw refuseModel();
  const grant = models.find(canonical);
  if (!grant) throw refuseModel();
  // The model is not gone, its upstream is silent: a fault is never told as a missing right.
  if (grant.upstreams.length === 0) throw refuseUntrusted();
  return grant;
}

/** The models that can be trusted now; throws `models_unavailable` if there are none. */
export function trustModels<M>(catalogue: { current(): M | undefined }): M {
  const models = catalogue.current();
  if (models === undefined) throw refuseUntrusted();
  return models;
}

function refuseModel(): GatewayError {
  return new GatewayError(
    'model_not_allowed',
    'This key may not use this model, or there is no such model. The list of models shows what it may use.',
    { param: 'model' },
  );
}

/** The refusal of everything while discovery cannot be trusted. */
export function refuseUntrusted(): GatewayError {
  return new GatewayError(
    'models_unavailable',
    'The list of models is out of date. Try again soon.',
    {
      retryAfterMs: RETRY_AFTER_MS,
    },
  );
}
