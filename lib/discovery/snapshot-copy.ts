import { isObject } from '../ollama/json-object.ts';
import type { JsonObject } from '../ollama/json-object.ts';
import { readCount } from '../ollama/models/fields.ts';
import { readRunning } from '../ollama/models/read-running.ts';
import { copyShown } from '../ollama/models/read-show.ts';
import type { ShownModel } from '../ollama/models/read-show.ts';
import { readTags } from '../ollama/models/read-tags.ts';
import type { ListedModel } from '../ollama/models/read-tags.ts';
import { readVersion } from '../ollama/models/versions.ts';
import { chooseModels } from './choose-models.ts';
import { makeSnapshot } from './upstream-snapshot.ts';
import type { UpstreamSnapshot } from './upstream-snapshot.ts';

export interface ReadCopy {
  readonly snapshot: UpstreamSnapshot;
  /** Milliseconds from the poll's beginning to the writing of the copy. */
  readonly sinceMs: number;
}

/** The snapshot as text: what is compared from poll to poll, and kept in the copy. */
export function toSnapshotText({ ollamaVersion, models, running }: UpstreamSnapshot): string {
  return JSON.stringify({
    version: ollamaVersion,
    models: models.map(({ entry, cloud, shown }) => ({
      listed: entry.listed,
      cloud,
      ownTextBytes: entry.ownTextBytes,
      embedding: entry.embedding,
      shown,
    })),
    running,
  });
}

export function toCopyText(snapshotText: string, sinceMs: number): string {
  return `{"sinceMs":${Math.ceil(sinceMs)},"snapshot":${snapshotText}}`;
}

/**
 * Reads a copy under the rules of a poll, since another gateway's rules may differ from ours and
 * Redis is no source to believe blindly. Undefined for anything else than a copy.
 */
export function readCopyText(text: string, allowCloudModels: boolean): ReadCopy | undefined {
  const copy = parse(text);
  const sinceMs = readCount(copy?.['sinceMs']);
  const snapshot = copy?.['snapshot'];
  if (sinceMs === undefined || !isObject(snapshot)) return undefined;
  const ollamaVersion = readVersion(snapshot);
  const running = readRunning({ models: snapshot['running'] });
  const entries = snapshot['models'];
  if (ollamaVersion === undefined || !running || !Array.isArray(entries)) return undefined;

  const listed: ListedModel[] = [];
  const shows = new Map<string, ShownModel>();
  for (const entry of (entries as readonly unknown[]).filter(isObject)) {
    const [model] = readTags({ models: [entry['listed']] }) ?? [];
    const show = readShown(entry);
    if (!model || !show) continue;
    listed.push({ ...model, remote: entry['cloud'] !== false });
    shows.set(model.digest, show);
  }
  const candidates = chooseModels(listed, allowCloudModels);
  return { sinceMs, snapshot: makeSnapshot({ ollamaVersion, candidates, shows, running }) };
}

function parse(text: string): JsonObject | undefined {
  try {
    const copy: unknown = JSON.parse(text);
    return isObject(copy) ? copy : undefined;
  } catch {
    return undefined;
  }
}

function readShown(entry: JsonObject): ShownModel | undefined {
  const ownTextBytes = readCount(entry['ownTextBytes']);
  const { shown, embedding } = entry;
  if (ownTextBytes === undefined || !isObject(shown)) return undefined;
  return { shown: copyShown(shown), ownTextBytes, embedding: embedding === true };
}
