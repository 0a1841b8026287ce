import { isObject } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';
import { readCount, readText, withoutGaps } from './fields.ts';
import { readCapabilities, readDetails } from './read-details.ts';

/** One entry of /api/tags. */
export interface ListedModel {
  readonly name: string;
  readonly digest: string;
  /** Its manifest points to another server, whatever its name says. */
  readonly remote: boolean;
  /** The known fields of the entry, as they are told to clients. */
  readonly listed: JsonObject;
}

const DIGEST = /^[\w:-]{1,128}$/;

/** The reply of /api/tags, or undefined if it is none. Entries without name or digest are left out. */
export function readTags(reply: unknown): readonly ListedModel[] | undefined {
  if (!isObject(reply)) return undefined;
  // Some servers say null for an empty list.
  const models = reply['models'] ?? [];
  if (!Array.isArray(models)) return undefined;
  const list: readonly unknown[] = models;
  return list.map(readListedModel).filter((model) => model !== undefined);
}

function readListedModel(entry: unknown): ListedModel | undefined {
  if (!isObject(entry)) return undefined;
  const name = readText(entry['name']) ?? readText(entry['model']);
  const digest = readText(entry['digest']);
  if (name === undefined || digest === undefined || !DIGEST.test(digest)) return undefined;
  return {
    name,
    digest,
    remote: Boolean(entry['remote_host']) || Boolean(entry['remote_model']),
    listed: withoutGaps({
      name,
      model: name,
      modified_at: readText(entry['modified_at']),
      size: readCount(entry['size']),
      digest,
      details: readDetails(entry['details']),
      capabilities: readCapabilities(entry['capabilities']),
    }),
  };
}
