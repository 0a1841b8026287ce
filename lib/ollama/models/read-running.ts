import { isObject } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';
import { readCount, readText, withoutGaps } from './fields.ts';
import { readDetails } from './read-details.ts';

/** One entry of /api/ps. */
export interface RunningModel {
  readonly name: string;
  /** The known fields of the entry, as they are told to clients. */
  readonly listed: JsonObject;
}

/** The reply of /api/ps, or undefined if it is none. Entries without a name are left out. */
export function readRunning(reply: unknown): readonly RunningModel[] | undefined {
  if (!isObject(reply)) return undefined;
  const models = reply['models'] ?? [];
  if (!Array.isArray(models)) return undefined;
  const list: readonly unknown[] = models;
  return list.map(readRunningModel).filter((model) => model !== undefined);
}

function readRunningModel(entry: unknown): RunningModel | undefined {
  if (!isObject(entry)) return undefined;
  const name = readText(entry['name']) ?? readText(entry['model']);
  if (name === undefined) return undefined;
  return {
    name,
    listed: withoutGaps({
      name,
      model: name,
      size: readCount(entry['size']),
      digest: readText(entry['digest']),
      details: readDetails(entry['details']),
      expires_at: readText(entry['expires_at']),
      size_vram: readCount(entry['size_vram']),
      context_length: readCount(entry['context_length']),
    }),
  };
}
