import type { JsonObject } from '../../../lib/ollama/json-object.ts';
import type { ListedModel } from '../../../lib/ollama/models/read-tags.ts';
import type { ModelEntry } from '../../../lib/shared/records.ts';

/** A model as /api/tags listed it. */
export function listedModel(name: string, more: JsonObject = {}): ListedModel {
  const digest = `d-${name.replaceAll(/[^A-Za-z0-9]/g, '-')}`;
  return { name, digest, remote: false, listed: { name, model: name, digest, ...more } };
}

/** The same in shared memory; `name` is `model:tag` of the library. */
export function modelEntry(name: string, more: Partial<ModelEntry> = {}): ModelEntry {
  const { digest, listed } = listedModel(name);
  const key = `registry.ollama.ai/library/${name}`.toLowerCase();
  return { key, name, digest, listed, ownTextBytes: 0, embedding: false, ...more };
}
