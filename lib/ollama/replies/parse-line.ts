import { isObject } from '../json-object.ts';

/** A line of a reply, or a whole reply: an object as Ollama serialised it. */
export type ReplyLine = Readonly<Record<string, unknown>>;

const PLAIN = Buffer.from('{"model":');

/** True if a line of content or the last one begins at `start`; all else must be looked at. */
export function isPlainLine(bytes: Uint8Array, start = 0): boolean {
  for (let i = 0; i < PLAIN.length; i += 1) {
    if (bytes[start + i] !== PLAIN[i]) return false;
  }
  return true;
}

/** The JSON object of a line; null for anything else. */
export function parseLine(bytes: Uint8Array): ReplyLine | null {
  try {
    const value: unknown = JSON.parse(
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(),
    );
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Ollama's way of failing after its 200 (whatever the member's value). */
export function isErrorLine(line: ReplyLine): boolean {
  return Object.hasOwn(line, 'error');
}

/** The reply is whole: some servers end with a reason and without `done:true`. */
export function isDone(line: ReplyLine): boolean {
  if (line['done'] === true) return true;
  const reason = line['done_reason'];
  return typeof reason === 'string' && reason !== '';
}

/** A line that adds something to the reply, other than counts. */
export function hasContent(line: ReplyLine): boolean {
  if (isText(line['response']) || isText(line['thinking']) || isList(line['tool_calls'])) {
    return true;
  }
  const message = line['message'];
  if (!isObject(message)) return false;
  return isText(message['content']) || isText(message['thinking']) || isList(message['tool_calls']);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
