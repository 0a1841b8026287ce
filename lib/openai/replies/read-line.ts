import { isObject } from '../../ollama/json-object.ts';
import type { ReplyLine } from '../../ollama/replies/parse-line.ts';
import { readUnixSeconds } from './created.ts';

/** The JSON object of a line; null for anything else. */
export function parseText(text: string): ReplyLine | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** `message` of a chat's line; empty where there is none. */
export function readMessage(line: ReplyLine): ReplyLine {
  const message = line['message'];
  return isObject(message) ? message : {};
}

export function readText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** `created_at` in unix seconds; null: it tells no time. */
export function readCreatedS(line: ReplyLine): number | null {
  return readUnixSeconds(line['created_at']);
}

/** Null: none was told. */
export function readDoneReason(line: ReplyLine): string | null {
  const reason = line['done_reason'];
  return typeof reason === 'string' && reason !== '' ? reason : null;
}
