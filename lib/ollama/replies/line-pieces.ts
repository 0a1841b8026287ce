import { isObject } from '../json-object.ts';
import { toLineFacts } from './line-facts.ts';
import type { LineFacts } from './line-facts.ts';
import { parseLine } from './parse-line.ts';
import type { ReplyLine } from './parse-line.ts';

/** A part of a JSON text. */
export type JsonPiece = string | Uint8Array;

/**
 * What a line of a chat or a generation adds to the whole reply, as JSON that needs only to be
 * joined: texts without their quotes, lists without their brackets; '' is nothing.
 */
export interface LinePieces {
  readonly facts: LineFacts;
  readonly content: JsonPiece;
  readonly thinking: JsonPiece;
  readonly toolCalls: JsonPiece;
  readonly logprobs: JsonPiece;
}

/** All else of a line, without braces: of the last one it is all else of the reply. */
export interface LineFrame {
  readonly rest: JsonPiece;
  /** Members of `message`; null: a generation has none. */
  readonly message: JsonPiece | null;
}

export interface LineApart extends LinePieces {
  readonly frame: LineFrame;
}

const OWN = ['content', 'thinking', 'tool_calls'];

export function toPieces(line: ReplyLine): LinePieces {
  const { message } = line;
  const source = isObject(message) ? message : line;
  return {
    facts: toLineFacts(line),
    content: toText(isObject(message) ? message['content'] : line['response']),
    thinking: toText(source['thinking']),
    toolCalls: toItems(source['tool_calls']),
    logprobs: toItems(line['logprobs']),
  };
}

export function toFrame(line: ReplyLine): LineFrame {
  const { message } = line;
  if (!isObject(message)) {
    return { rest: without(line, ['response', 'logprobs', ...OWN.slice(1)]), message: null };
  }
  return { rest: without(line, ['message', 'logprobs']), message: without(message, OWN) };
}

/** Both halves of a large line, in bytes that can be moved to the thread that wants them. */
export function takeApart(bytes: Uint8Array): LineApart | null {
  const line = parseLine(bytes);
  if (!line) return null;
  const { facts, content, thinking, toolCalls, logprobs } = toPieces(line);
  const { rest, message } = toFrame(line);
  return {
    facts,
    content: Buffer.from(content),
    thinking: Buffer.from(thinking),
    toolCalls: Buffer.from(toolCalls),
    logprobs: Buffer.from(logprobs),
    frame: { rest: Buffer.from(rest), message: message && Buffer.from(message) },
  };
}

function toText(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : '';
}

function toItems(value: unknown): string {
  return Array.isArray(value) ? JSON.stringify(value).slice(1, -1) : '';
}

function without(value: ReplyLine, names: readonly string[]): string {
  const kept = Object.entries(value).filter(([name]) => !names.includes(name));
  return JSON.stringify(Object.fromEntries(kept)).slice(1, -1);
}
