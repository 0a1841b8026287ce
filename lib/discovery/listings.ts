import { authorise, refuseUntrusted, trustModels } from '../access/authorise.ts';
import type { Access } from '../access/authorise.ts';
import { compileRights, filterModels } from '../access/effective-set.ts';
import type { Holder } from '../access/effective-set.ts';
import type { JsonObject } from '../ollama/json-object.ts';
import type { ModelEntry } from '../shared/records.ts';
import type { Catalogue } from './catalogue.ts';

/** What listings are made from; a worker's Access with discovery's own catalogue in it. */
export interface Listing extends Access {
  readonly models: Catalogue;
}

/** Reply of /api/tags: the holder's effective set, newest first. Throws `models_unavailable`. */
export function listTags({ models, lists }: Listing, holder: Holder): { models: JsonObject[] } {
  return { models: listEffective({ models, lists }, holder).map(({ listed }) => listed) };
}

/** The holder's effective set, newest first. Throws `models_unavailable`. */
export function listEffective({ models, lists }: Listing, holder: Holder): readonly ModelEntry[] {
  return filterModels(lists, holder, trustModels(models).models);
}

/** Reply of /api/ps: what runs of the holder's effective set. Throws `models_unavailable`. */
export function listRunning({ models, lists }: Listing, holder: Holder): { models: JsonObject[] } {
  const trusted = trustModels(models);
  const may = compileRights(lists, holder);
  const running = trusted.running.filter(({ key }) => may(key));
  return { models: running.map(({ listed }) => listed) };
}

/** Reply of /api/version. Throws `models_unavailable`. */
export function describeVersion({ models }: Pick<Listing, 'models'>): { version: string } {
  return { version: trustModels(models).ollamaVersion };
}

/**
 * One model of the effective set, by whatever alias the client calls it. Throws `model_not_allowed`
 * with the text that inference has for it, and `models_unavailable`.
 */
export function findEffective(listing: Listing, holder: Holder, name: string): ModelEntry {
  return authorise(listing, holder, name).model;
}

/**
 * Reply of /api/show, without what SPEC §2 keeps back. Throws `model_not_allowed` with the text
 * that inference has for it, and `models_unavailable`.
 */
export function showModel(listing: Listing, holder: Holder, name: string): JsonObject {
  const { model } = authorise(listing, holder, name);
  const shown = trustModels(listing.models).readShow(model.key);
  if (!shown) throw refuseUntrusted();
  return shown;
}
