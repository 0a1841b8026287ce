import { createHash } from 'node:crypto';
import type { JsonObject } from '../ollama/json-object.ts';
import type { ModelsHead, UpstreamModels } from '../shared/records.ts';
import { toUpstreamModels } from './upstream-snapshot.ts';
import type { UpstreamSnapshot } from './upstream-snapshot.ts';

export interface Finding {
  readonly snapshot: UpstreamSnapshot;
  /** The snapshot as text, by which a change is known. */
  readonly text: string;
  /** Monotonic milliseconds of the poll's beginning. */
  readonly polledAtMs: number;
}

/** What is known of an upstream; nulls before its first good poll. */
export interface LastFinding {
  /** Monotonic milliseconds of the last good poll's beginning. */
  readonly polledAtMs: number | null;
  readonly ollamaVersion: string | null;
  readonly models: number;
}

export interface BoardParts {
  /**
   * Writes shared memory: the head always, bodies and shows (by upstream, then canonical name)
   * where they changed. The head must become visible last, or with the rest.
   */
  publish(
    head: ModelsHead,
    bodies: ReadonlyMap<number, UpstreamModels>,
    shows: ReadonlyMap<number, ReadonlyMap<string, JsonObject>>,
  ): void;
  /** Tells the workers of a changed set, so that none decodes it on a request's time. */
  announce(): void;
}

interface Entry {
  readonly fingerprint: string;
  readonly polledAtMs: number;
  readonly ollamaVersion: string;
  readonly models: number;
  /** Fingerprints by canonical name: only shows that changed are written again. */
  readonly shows: ReadonlyMap<string, string>;
}

/** The last good finding of each upstream, and the version that rises when one differs. */
export class ModelsBoard {
  readonly #parts: BoardParts;
  readonly #entries = new Map<number, Entry>();
  #version = 0;

  constructor(parts: BoardParts) {
    this.#parts = parts;
  }

  get version(): number {
    return this.#version;
  }

  has(upstream: number): boolean {
    return this.#entries.has(upstream);
  }

  describe(upstream: number): LastFinding {
    const entry = this.#entries.get(upstream);
    return {
      polledAtMs: entry?.polledAtMs ?? null,
      ollamaVersion: entry?.ollamaVersion ?? null,
      models: entry?.models ?? 0,
    };
  }

  /** Publishes a finding. If that throws, nothing is kept, so that the next one is published whole. */
  put(upstream: number, { snapshot, text, polledAtMs }: Finding): void {
    const last = this.#entries.get(upstream);
    const fingerprint = digest(text);
    const changed = fingerprint !== last?.fingerprint;
    const shows = changed ? readFingerprints(snapshot) : last.shows;
    const { ollamaVersion } = snapshot;
    const entry = { fingerprint, polledAtMs, ollamaVersion, models: snapshot.models.length, shows };
    const version = this.#version + Number(changed);

    const entries = new Map(this.#entries).set(upstream, entry);
    const changedShows = changed ? chooseChanged(snapshot, shows, last?.shows) : new Map();
    this.#parts.publish(
      toHead(version, entries),
      new Map(changed ? [[upstream, toUpstreamModels(snapshot)]] : []),
      new Map(changed ? [[upstream, changedShows]] : []),
    );
    this.#entries.set(upstream, entry);
    this.#version = version;
    if (changed) this.#parts.announce();
  }
}

function toHead(version: number, entries: ReadonlyMap<number, Entry>): ModelsHead {
  const upstreams = [...entries].map(([upstream, { polledAtMs, ollamaVersion }]) => ({
    upstream,
    polledAtMs,
    ollamaVersion,
  }));
  return { version, upstreams: upstreams.sort((a, b) => a.upstream - b.upstream) };
}

function readFingerprints({ models }: UpstreamSnapshot): ReadonlyMap<string, string> {
  return new Map(models.map(({ entry, shown }) => [entry.key, digest(JSON.stringify(shown))]));
}

function chooseChanged(
  { models }: UpstreamSnapshot,
  now: ReadonlyMap<string, string>,
  before: ReadonlyMap<string, string> | undefined,
): ReadonlyMap<string, JsonObject> {
  const changed = models.filter(({ entry: { key } }) => now.get(key) !== before?.get(key));
  return new Map(changed.map(({ entry, shown }) => [entry.key, shown]));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
