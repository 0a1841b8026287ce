import type { JsonObject } from '../../ollama/json-object.ts';
import { readUnixSeconds } from './created.ts';

/** What of a discovered model is told. */
export interface ListedModel {
  readonly name: string;
  /** Its entry of /api/tags. */
  readonly listed: JsonObject;
}

/** An entry that OpenAI's clients and Anthropic's both can read. */
export interface OpenAiModel {
  readonly id: string;
  readonly object: 'model';
  /** Unix seconds; 0: unknown. */
  readonly created: number;
  readonly owned_by: string;
  readonly type: 'model';
  readonly display_name: string;
  /** RFC 3339 of `created`. */
  readonly created_at: string;
}

export interface OpenAiModelList {
  readonly object: 'list';
  readonly data: readonly OpenAiModel[];
  readonly has_more: false;
  readonly first_id: string | null;
  readonly last_id: string | null;
}

/** Past the year 9999 a time has no RFC 3339 form. */
const MAX_UNIX_S = 253_402_300_799;

/** Reply of /v1/models, in the order given. */
export function listModels(models: readonly ListedModel[]): OpenAiModelList {
  const data = models.map((model) => describeModel(model));
  return {
    object: 'list',
    data,
    has_more: false,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}

/** Reply of /v1/models/{id}; `id` is the client's own spelling. */
export function describeModel({ name, listed }: ListedModel, id = name): OpenAiModel {
  const created = Math.min(readUnixSeconds(listed['modified_at']) ?? 0, MAX_UNIX_S);
  return {
    id,
    object: 'model',
    created,
    owned_by: readNamespace(name),
    type: 'model',
    display_name: id,
    created_at: new Date(created * 1_000).toISOString().replace('.000Z', 'Z'),
  };
}

/** `user` of `hf.co/user/model`; models without one are Ollama's own library. */
function readNamespace(name: string): string {
  return name.split('/').at(-2) ?? 'library';
}
