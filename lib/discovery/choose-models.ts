import { parseModelName } from '../access/model-name.ts';
import type { JsonObject } from '../ollama/json-object.ts';
import type { RunningModel } from '../ollama/models/read-running.ts';
import type { ListedModel } from '../ollama/models/read-tags.ts';

/** More than these are not listed; Ollama tells the newest first. */
export const MAX_MODELS = 1_000;

/** Clients' names are trimmed, an upstream's are sent back as they are: no white space in them. */
const SPELLING = /^[\w./:-]+$/;

/** A listed model that the gateway may offer, once its /api/show is known. */
export interface Candidate {
  /** Canonical name. */
  readonly key: string;
  /** Runs on a cloud, by its name or by its manifest. */
  readonly cloud: boolean;
  readonly model: ListedModel;
}

/**
 * What of an upstream's list is offered: names of Ollama's grammar, each once, and no cloud model
 * unless that is allowed. A name that ends in `:local` is left out too: sent back, it would mean
 * another model.
 */
export function chooseModels(
  listed: readonly ListedModel[],
  allowCloudModels: boolean,
): readonly Candidate[] {
  const chosen = new Map<string, Candidate>();
  for (const model of listed) {
    if (chosen.size === MAX_MODELS) break;
    const candidate = toCandidate(model);
    if (!candidate || chosen.has(candidate.key)) continue;
    if (!candidate.cloud || allowCloudModels) chosen.set(candidate.key, candidate);
  }
  return [...chosen.values()];
}

/** The running models that are offered too. */
export function chooseRunning(
  running: readonly RunningModel[],
  offered: ReadonlySet<string>,
): readonly JsonObject[] {
  return running
    .filter(({ name }) => offered.has(parseModelName(name)?.canonical ?? ''))
    .map(({ listed }) => listed);
}

function toCandidate(model: ListedModel): Candidate | undefined {
  if (!SPELLING.test(model.name)) return undefined;
  const name = parseModelName(model.name);
  if (!name || name.source === 'local') return undefined;
  return { key: name.canonical, cloud: model.remote || name.source === 'cloud', model };
}
