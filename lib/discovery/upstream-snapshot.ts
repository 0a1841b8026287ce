import type { JsonObject } from '../ollama/json-object.ts';
import type { ShownModel } from '../ollama/models/read-show.ts';
import type { RunningModel } from '../ollama/models/read-running.ts';
import type { ModelEntry, UpstreamModels } from '../shared/records.ts';
import { chooseRunning } from './choose-models.ts';
import type { Candidate } from './choose-models.ts';

export interface DiscoveredModel {
  readonly entry: ModelEntry;
  readonly cloud: boolean;
  /** What /api/show may tell of it. */
  readonly shown: JsonObject;
}

/** What one poll of one upstream found. */
export interface UpstreamSnapshot {
  readonly ollamaVersion: string;
  readonly models: readonly DiscoveredModel[];
  /** Entries of /api/ps. */
  readonly running: readonly JsonObject[];
}

export interface SnapshotParts {
  readonly ollamaVersion: string;
  readonly candidates: readonly Candidate[];
  /** By digest. */
  readonly shows: ReadonlyMap<string, ShownModel>;
  readonly running: readonly RunningModel[];
}

/**
 * A candidate whose /api/show is not known is left out: without its own text there is no upper
 * bound of a prompt's tokens, and so no hold on a budget.
 */
export function makeSnapshot(parts: SnapshotParts): UpstreamSnapshot {
  const models = parts.candidates.flatMap((candidate) => {
    const show = parts.shows.get(candidate.model.digest);
    return show ? [toDiscovered(candidate, show)] : [];
  });
  const offered = new Set(models.map(({ entry }) => entry.key));
  return {
    ollamaVersion: parts.ollamaVersion,
    models,
    running: chooseRunning(parts.running, offered),
  };
}

/** As shared memory keeps it. */
export function toUpstreamModels(snapshot: UpstreamSnapshot): UpstreamModels {
  return { models: snapshot.models.map(({ entry }) => entry), running: snapshot.running };
}

function toDiscovered({ key, cloud, model }: Candidate, show: ShownModel): DiscoveredModel {
  const { name, digest, listed } = model;
  const { ownTextBytes, embedding } = show;
  // One digest may have several names, each with a time of its own.
  const modifiedAt = listed['modified_at'] ?? show.shown['modified_at'];
  return {
    entry: { key, name, digest, listed, ownTextBytes, embedding },
    cloud,
    shown: modifiedAt === undefined ? show.shown : { ...show.shown, modified_at: modifiedAt },
  };
}
