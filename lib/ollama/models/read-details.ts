import { isObject } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';
import { readCount, readText, readWords, readWordsOrNull, withoutGaps } from './fields.ts';
import { looksLikePath } from './looks-like-path.ts';

/** The `details` of tags, ps and show; undefined where there are none. Only known fields. */
export function readDetails(value: unknown): JsonObject | undefined {
  if (!isObject(value)) return undefined;
  return withoutGaps({
    parent_model: readParent(value['parent_model']),
    format: readText(value['format']),
    family: readText(value['family']),
    families: readWordsOrNull(value['families']),
    parameter_size: readText(value['parameter_size']),
    quantization_level: readText(value['quantization_level']),
    context_length: readCount(value['context_length']),
    embedding_length: readCount(value['embedding_length']),
  });
}

/** `completion`, `tools`, `insert`, `vision`, `embedding`, `thinking`, …; absent on old servers. */
export function readCapabilities(value: unknown): readonly string[] | undefined {
  return readWords(value);
}

/** A model made from a file of the host has that file's path for a parent. */
function readParent(value: unknown): string | undefined {
  const parent = readText(value);
  return parent !== undefined && looksLikePath(parent) ? '' : parent;
}
