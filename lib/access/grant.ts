import type { ModelEntry } from '../shared/records.ts';

/** A model that the caller may use, and the upstreams that have it now (positions in OLLAMA_URL). */
export interface Grant {
  readonly model: ModelEntry;
  readonly upstreams: readonly number[];
}
