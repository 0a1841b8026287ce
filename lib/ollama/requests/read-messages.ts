import { isObject } from '../json-object.ts';
import { toFieldFault } from './field-faults.ts';
import { checkKeys, knownFields } from './known-fields.ts';
import type { MemberWriter } from './member-writer.ts';
import { readImages } from './read-images.ts';
import { readToolCalls } from './read-tools.ts';
import { readList, readText } from './read-values.ts';

const MESSAGE = knownFields(
  'role',
  'content',
  'thinking',
  'images',
  'tool_calls',
  'tool_name',
  'tool_call_id',
);

interface MessageBody {
  readonly role?: unknown;
  readonly content?: unknown;
  readonly thinking?: unknown;
  readonly images?: unknown;
  readonly tool_calls?: unknown;
  readonly tool_name?: unknown;
  readonly tool_call_id?: unknown;
}

/** `messages` of a chat, made anew; their texts and images are counted in `writer`. */
export function readMessages(value: unknown, writer: MemberWriter): object[] | undefined {
  return readList(value, '', 'messages')?.map((item, index) =>
    readMessage(item, `messages[${index}]`, writer),
  );
}

function readMessage(value: unknown, at: string, writer: MemberWriter): object {
  if (!isObject(value)) throw toFieldFault(at, 'an object');
  checkKeys(value, MESSAGE, at);
  const body: MessageBody = value;
  const message: Record<string, unknown> = {};

  function keepText(name: string, given: unknown): void {
    const text = readText(given, at, name);
    if (text === undefined) return;
    writer.countText(text);
    message[name] = text;
  }

  keepText('role', body.role);
  keepText('content', body.content);
  keepText('thinking', body.thinking);
  keepText('tool_name', body.tool_name);
  keepText('tool_call_id', body.tool_call_id);
  keepImages(message, readImages(body.images, at, 'images'), writer);
  keepCalls(message, readToolCalls(body.tool_calls, at), writer);
  return message;
}

function keepImages(
  message: Record<string, unknown>,
  images: string[] | undefined,
  writer: MemberWriter,
): void {
  if (images === undefined) return;
  writer.countImages(images);
  message['images'] = images;
}

function keepCalls(
  message: Record<string, unknown>,
  calls: object[] | undefined,
  writer: MemberWriter,
): void {
  if (calls === undefined) return;
  writer.countJson(JSON.stringify(calls));
  message['tool_calls'] = calls;
}
