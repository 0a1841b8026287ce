import type { Grant } from '../access/grant.ts';
import { canonicalise } from '../access/model-name.ts';
import type { JsonObject } from '../ollama/json-object.ts';
import type { ModelEntry, UpstreamModels } from '../shared/records.ts';

export interface UpstreamBody {
  /** Position in OLLAMA_URL. */
  readonly upstream: number;
  /** Its snapshot is young enough to be trusted. */
  readonly fresh: boolean;
  readonly body: UpstreamModels;
}

export interface RunningEntry {
  /** Canonical name. */
  readonly key: string;
  readonly listed: JsonObject;
}

export interface MergedModels {
  /** By canonical name. Models of upstreams that are not fresh are here too, without an upstream. */
  readonly grants: ReadonlyMap<string, Grant>;
  /** What fresh upstreams have, newest first. */
  readonly models: readonly ModelEntry[];
  /** What runs on fresh upstreams, each model once, the one that stays longest first. */
  readonly running: readonly RunningEntry[];
}

/**
 * Makes one list of the upstreams' lists, given in the order of OLLAMA_URL. A model that several
 * have is told as the first fresh one tells it, but for what bounds its prompts: there the largest
 * counts, since any of them may get the request.
 */
export function mergeModels(bodies: readonly UpstreamBody[]): MergedModels {
  const grants = new Map<string, Grant>();
  for (const { upstream, body } of bodies.filter(({ fresh }) => fresh)) {
    for (const model of body.models)
      grants.set(model.key, join(grants.get(model.key), model, upstream));
  }
  const models = [...grants.values()].map(({ model }) => model);

  for (const { body } of bodies.filter(({ fresh }) => !fresh)) {
    for (const model of body.models) {
      if (!grants.has(model.key)) grants.set(model.key, { model, upstreams: [] });
    }
  }
  return {
    grants,
    models: models.sort(
      (a, b) => readTime(b.listed, 'modified_at') - readTime(a.listed, 'modified_at'),
    ),
    running: mergeRunning(bodies.filter(({ fresh }) => fresh)),
  };
}

function join(known: Grant | undefined, model: ModelEntry, upstream: number): Grant {
  if (!known) return { model, upstreams: [upstream] };
  return {
    model: {
      ...known.model,
      ownTextBytes: Math.max(known.model.ownTextBytes, model.ownTextBytes),
      embedding: known.model.embedding || model.embedding,
    },
    upstreams: [...known.upstreams, upstream],
  };
}

function mergeRunning(bodies: readonly UpstreamBody[]): readonly RunningEntry[] {
  const entries = bodies
    .flatMap(({ body }) => body.running)
    .map((listed) => ({ key: canonicalise(String(listed['name'])) ?? '', listed }))
    .sort((a, b) => readTime(b.listed, 'expires_at') - readTime(a.listed, 'expires_at'));
  const seen = new Set<string>();
  return entries.filter(({ key }) => !seen.has(key) && seen.add(key));
}

function readTime(listed: JsonObject, field: string): number {
  return Date.parse(String(listed[field])) || 0;
}
