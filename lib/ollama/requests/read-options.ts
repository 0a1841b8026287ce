import { checkKeys } from './known-fields.ts';
import { readFlag, readInteger, readNumber, readObject, readTexts } from './read-values.ts';

type ReadValue = (value: unknown, at: string, name: string) => unknown;

/** Every option that Ollama knows, with its type (reference §2.1); what is gone there is unknown here. */
const OPTIONS: ReadonlyMap<string, ReadValue> = new Map<string, ReadValue>([
  ['num_keep', readInteger],
  ['seed', readInteger],
  ['num_predict', readInteger],
  ['top_k', readInteger],
  ['top_p', readNumber],
  ['min_p', readNumber],
  ['typical_p', readNumber],
  ['repeat_last_n', readInteger],
  ['temperature', readNumber],
  ['repeat_penalty', readNumber],
  ['presence_penalty', readNumber],
  ['frequency_penalty', readNumber],
  ['stop', readTexts],
  ['num_ctx', readInteger],
  ['num_batch', readInteger],
  ['num_gpu', readInteger],
  ['main_gpu', readInteger],
  ['num_thread', readInteger],
  ['use_mmap', readFlag],
]);

/** Names of all options that are read. */
export const OPTION_NAMES: ReadonlySet<string> = new Set(OPTIONS.keys());
const NONE: Readonly<Record<string, unknown>> = Object.freeze({});

/** `options`: known ones with values of the right type; unknown ones and nulls are dropped. */
export function readOptions(value: unknown): Readonly<Record<string, unknown>> {
  const given = readObject(value, '', 'options');
  if (given === undefined) return NONE;
  checkKeys(given, OPTION_NAMES, 'options');

  const options: Record<string, unknown> = {};
  for (const name of Object.keys(given)) {
    const option = OPTIONS.get(name)?.(given[name], 'options', name);
    if (option !== undefined) options[name] = option;
  }
  return options;
}
