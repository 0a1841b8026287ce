import { isObject } from '../../ollama/json-object.ts';
import { readList, readText } from './read-line.ts';

export interface ToolCall {
  readonly index: number;
  readonly id: string;
  readonly type: 'function';
  readonly function: {
    readonly name: string;
    /** JSON text of an object. */
    readonly arguments: string;
  };
}

/** Where the calls of a line stand in the whole reply. */
export interface CallPlace {
  /** Index of the first. */
  readonly first: number;
  /** Makes the id, with the index behind it, of a call to which the upstream gave none. */
  readonly idPrefix: string;
}

/**
 * Native `tool_calls` as OpenAI's, numbered through the whole reply whatever the upstream numbered
 * them (SPEC §8). What names no function is no call. Throws RangeError for arguments too deep to be
 * written again.
 */
export function toToolCalls(value: unknown, { first, idPrefix }: CallPlace): readonly ToolCall[] {
  const calls: ToolCall[] = [];
  for (const item of readList(value)) {
    if (!isObject(item) || !isObject(item['function'])) continue;
    const name = readText(item['function']['name']);
    if (name === '') continue;
    const index = first + calls.length;
    calls.push({
      index,
      id: readText(item['id']) || `${idPrefix}${index}`,
      type: 'function',
      function: { name, arguments: toArguments(item['function']['arguments']) },
    });
  }
  return calls;
}

/** Ollama sends an object; some servers send its text, as OpenAI does. */
function toArguments(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  return isObject(value) ? JSON.stringify(value) : '{}';
}
