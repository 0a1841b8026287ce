import { GatewayError } from '../../errors/gateway-error.ts';
import { isObject } from '../../ollama/json-object.ts';
import { nameField, toFieldFault } from '../../ollama/requests/field-faults.ts';
import { checkKeys, knownFields } from '../../ollama/requests/known-fields.ts';
import type { MemberWriter } from '../../ollama/requests/member-writer.ts';
import { readList, readText } from '../../ollama/requests/read-values.ts';
import { countMessage } from './native-message.ts';
import type { NativeMessage } from './native-message.ts';
import { readContent } from './read-content.ts';
import type { NativeContent } from './read-content.ts';
import { readToolCalls } from './read-tool-calls.ts';
import { isResult, nameResults } from './tool-names.ts';

const MESSAGE = knownFields(
  'role',
  'content',
  'reasoning',
  'reasoning_content',
  'tool_calls',
  'name',
  'tool_call_id',
);

interface MessageBody {
  readonly role?: unknown;
  readonly content?: unknown;
  readonly reasoning?: unknown;
  readonly reasoning_content?: unknown;
  readonly tool_calls?: unknown;
  readonly name?: unknown;
  readonly tool_call_id?: unknown;
}

/** `messages` of a chat as native ones, at least one, each of them counted. @throws GatewayError */
export function readMessages(value: unknown, writer: MemberWriter): readonly NativeMessage[] {
  const list = readList(value, '', 'messages') ?? [];
  if (list.length === 0) throw toNoMessages();
  const messages = nameResults(list.map((item, index) => readMessage(item, `messages[${index}]`)));
  for (const message of messages) countMessage(message, writer);
  return messages;
}

function toNoMessages(): GatewayError {
  const message = 'messages must hold at least one message';
  return new GatewayError('invalid_request', message, { param: 'messages' });
}

function readMessage(value: unknown, at: string): NativeMessage {
  if (!isObject(value)) throw toFieldFault(at, 'an object');
  checkKeys(value, MESSAGE, at);
  const body: MessageBody = value;
  const role = readRole(body.role, at);
  const name = readText(body.name, at, 'name');
  const calls = readToolCalls(body.tool_calls, at);
  const content = readContentBeside(calls, body.content, at);
  return {
    role,
    content: content.text,
    thinking: readThinking(body, at),
    images: content.images,
    tool_calls: calls,
    // Of other roles it names a speaker, which Ollama knows nothing of.
    tool_name: isResult({ role }) && name !== '' ? name : undefined,
    tool_call_id: readText(body.tool_call_id, at, 'tool_call_id'),
  };
}

/** Templates drop `developer`; it is OpenAI's newer word for `system`. */
function readRole(value: unknown, at: string): string | undefined {
  const role = readText(value, at, 'role');
  return role?.toLowerCase() === 'developer' ? 'system' : role;
}

function readContentBeside(
  calls: readonly object[] | undefined,
  value: unknown,
  at: string,
): NativeContent {
  if (value !== undefined && value !== null) return readContent(value, at);
  if (calls !== undefined) return { text: '', images: undefined };
  const wanted = 'a string or a list of parts where there are no tool_calls';
  throw toFieldFault(nameField(at, 'content'), wanted);
}

/** `reasoning`, or what other servers call it. */
function readThinking(body: MessageBody, at: string): string | undefined {
  const reasoning = readText(body.reasoning, at, 'reasoning');
  const other = readText(body.reasoning_content, at, 'reasoning_content');
  return reasoning === undefined || reasoning === '' ? other : reasoning;
}
