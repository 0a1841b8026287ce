import { isObject } from '../json-object.ts';
import { toFieldFault } from './field-faults.ts';
import { checkFreeForm } from './free-form.ts';
import { checkKeys, knownFields } from './known-fields.ts';
import { readInteger, readList, readObject, readText } from './read-values.ts';

const TOOL = knownFields('type', 'function');
const DEFINITION = knownFields('name', 'description', 'parameters');
const CALL = knownFields('id', 'function');
const CALLED = knownFields('index', 'name', 'arguments');

interface ToolBody {
  readonly type?: unknown;
  readonly function?: unknown;
}

interface DefinitionBody {
  readonly name?: unknown;
  readonly description?: unknown;
  readonly parameters?: unknown;
}

interface CallBody {
  readonly id?: unknown;
  readonly function?: unknown;
}

interface CalledBody {
  readonly index?: unknown;
  readonly name?: unknown;
  readonly arguments?: unknown;
}

/** `tools` of a chat: definitions made anew, their JSON Schema as it came. */
export function readTools(value: unknown): object[] | undefined {
  return readList(value, '', 'tools')?.map((item, index) => readTool(item, `tools[${index}]`));
}

function readTool(value: unknown, at: string): object {
  if (!isObject(value)) throw toFieldFault(at, 'an object');
  checkKeys(value, TOOL, at);
  const tool: ToolBody = value;
  const within = `${at}.function`;
  const body: DefinitionBody | undefined = readObject(tool.function, at, 'function');
  if (body === undefined) throw toFieldFault(within, 'an object');

  checkKeys(body, DEFINITION, within);
  const parameters = readObject(body.parameters, within, 'parameters');
  checkFreeForm(parameters, `${within}.parameters`);
  return {
    type: readText(tool.type, at, 'type'),
    function: {
      name: readText(body.name, within, 'name'),
      description: readText(body.description, within, 'description'),
      parameters,
    },
  };
}

/** `tool_calls` of a message: what a model asked for earlier in the conversation. */
export function readToolCalls(value: unknown, at: string): object[] | undefined {
  return readList(value, at, 'tool_calls')?.map((item, index) =>
    readToolCall(item, `${at}.tool_calls[${index}]`),
  );
}

function readToolCall(value: unknown, at: string): object {
  if (!isObject(value)) throw toFieldFault(at, 'an object');
  checkKeys(value, CALL, at);
  const call: CallBody = value;
  const within = `${at}.function`;
  const body: CalledBody | undefined = readObject(call.function, at, 'function');
  if (body === undefined) throw toFieldFault(within, 'an object');

  checkKeys(body, CALLED, within);
  const given = readObject(body.arguments, within, 'arguments');
  checkFreeForm(given, `${within}.arguments`);
  return {
    id: readText(call.id, at, 'id'),
    function: {
      index: readInteger(body.index, within, 'index'),
      name: readText(body.name, within, 'name'),
      arguments: given,
    },
  };
}
