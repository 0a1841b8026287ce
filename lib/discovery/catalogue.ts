import type { FreshModels, ModelCatalogue } from '../access/authorise.ts';
import type { JsonObject } from '../ollama/json-object.ts';
import { compareVersions } from '../ollama/models/versions.ts';
import type { ModelEntry, ModelsHead, UpstreamHead, UpstreamModels } from '../shared/records.ts';
import type { Clock } from '../time/clock.ts';
import { mergeModels } from './merge-models.ts';
import type { MergedModels, RunningEntry } from './merge-models.ts';

/** The models table of shared memory, as of the reader's snapshot. */
export interface ModelsReader {
  readModelsHead(): ModelsHead | undefined;
  readUpstreamModels(upstream: number): UpstreamModels | undefined;
  readShow(upstream: number, key: string): JsonObject | undefined;
}

/** What the upstreams with a young snapshot offer; not to be kept beyond a request. */
export interface TrustedModels extends FreshModels {
  /** Newest first. */
  readonly models: readonly ModelEntry[];
  /** The one that stays longest first. */
  readonly running: readonly RunningEntry[];
  /** The lowest of the fresh upstreams: what it has, all have. */
  readonly ollamaVersion: string;
  /** What /api/show may tell of a model, from an upstream that has it now. */
  readShow(canonical: string): JsonObject | undefined;
}

export interface Catalogue extends ModelCatalogue {
  current(): TrustedModels | undefined;
  isFresh(): boolean;
}

export interface CatalogueParts {
  readonly reader: ModelsReader;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** An upstream polled longer ago does not count. */
  readonly maxAgeMs: number;
}

interface Decoded {
  readonly version: number;
  /** Bodies by upstream; an upstream without one is not listed. */
  readonly bodies: ReadonlyMap<number, UpstreamModels>;
}

interface View {
  readonly decoded: Decoded;
  readonly freshUpstreams: string;
  readonly models: TrustedModels;
}

/**
 * A worker's sight of discovery. Each use reads the head, which is small, so a changed set is in
 * force with the next request; bodies are decoded once a version, and merged anew only when an
 * upstream becomes too old or young again.
 */
export function openCatalogue({ reader, clock, maxAgeMs }: CatalogueParts): Catalogue {
  let decoded: Decoded | undefined;
  let view: View | undefined;

  function current(): TrustedModels | undefined {
    const head = reader.readModelsHead();
    if (!head) return undefined;
    const oldestMs = clock.monotonicMs() - maxAgeMs;
    const fresh = head.upstreams.filter(({ polledAtMs }) => polledAtMs >= oldestMs);
    if (fresh.length === 0) return undefined;

    if (decoded?.version !== head.version) decoded = decode(reader, head);
    const freshUpstreams = fresh.map(({ upstream }) => upstream).join();
    if (view?.decoded !== decoded || view.freshUpstreams !== freshUpstreams) {
      view = { decoded, freshUpstreams, models: toTrusted(reader, decoded, fresh) };
    }
    return view.models;
  }

  return { current, isFresh: () => current() !== undefined };
}

function decode(reader: ModelsReader, head: ModelsHead): Decoded {
  const bodies = new Map<number, UpstreamModels>();
  for (const { upstream } of head.upstreams) {
    const body = reader.readUpstreamModels(upstream);
    if (body) bodies.set(upstream, body);
  }
  return { version: head.version, bodies };
}

function toTrusted(
  reader: ModelsReader,
  { bodies }: Decoded,
  fresh: readonly UpstreamHead[],
): TrustedModels {
  const positions = new Set(fresh.map(({ upstream }) => upstream));
  const merged: MergedModels = mergeModels(
    [...bodies].map(([upstream, body]) => ({ upstream, body, fresh: positions.has(upstream) })),
  );
  const versions = fresh.map(({ ollamaVersion }) => ollamaVersion).sort(compareVersions);

  return {
    find: (canonical) => merged.grants.get(canonical),
    models: merged.models,
    running: merged.running,
    ollamaVersion: versions[0] ?? '',
    readShow: (canonical) => {
      const [first] = merged.grants.get(canonical)?.upstreams ?? [];
      return first === undefined ? undefined : reader.readShow(first, canonical);
    },
  };
}
