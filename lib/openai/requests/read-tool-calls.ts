import type { JsonObject } from '../../ollama/json-object.ts';
import { isObject } from '../../ollama/json-object.ts';
import { toFieldFault } from '../../ollama/requests/field-faults.ts';
import { checkFreeForm } from '../../ollama/requests/free-form.ts';
import { checkKeys, knownFields } from '../../ollama/requests/known-fields.ts';
import { readInteger, readList, readObject, readText } from '../../ollama/requests/read-values.ts';

const CALL = knownFields('id', 'index', 'type', 'function');
const CALLED = knownFields('name', 'arguments');

interface CallBody {
  readonly id?: unknown;
  readonly index?: unknown;
  readonly type?: unknown;
  readonly function?: unknown;
}

interface CalledBody {
  readonly name?: unknown;
  readonly arguments?: unknown;
}

/** A call of a tool as Ollama takes it. */
export interface NativeCall {
  readonly id: string | undefined;
  readonly function: { readonly name: string | undefined; readonly arguments: JsonObject };
}

/** `tool_calls` of a message; the arguments come as text and go as an object. @throws GatewayError */
export function readToolCalls(value: unknown, at: string): NativeCall[] | undefined {
  return readList(value, at, 'tool_calls')?.map((item, index) =>
    readToolCall(item, `${at}.tool_calls[${index}]`),
  );
}

function readToolCall(value: unknown, at: string): NativeCall {
  if (!isObject(value)) throw toFieldFault(at, 'an object');
  checkKeys(value, CALL, at);
  const call: CallBody = value;
  readInteger(call.index, at, 'index');
  readText(call.type, at, 'type');

  const within = `${at}.function`;
  const body: CalledBody | undefined = readObject(call.function, at, 'function');
  if (body === undefined) throw toFieldFault(within, 'an object');
  checkKeys(body, CALLED, within);
  return {
    id: readText(call.id, at, 'id'),
    function: {
      name: readText(body.name, within, 'name'),
      arguments: readArguments(body.arguments, `${within}.arguments`),
    },
  };
}

function readArguments(value: unknown, field: string): JsonObject {
  const parsed = typeof value === 'string' ? parse(value) : undefined;
  if (!isObject(parsed)) throw toFieldFault(field, 'the JSON text of an object');
  checkFreeForm(parsed, field);
  return parsed;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
