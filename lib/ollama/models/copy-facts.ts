import { isObject } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';
import { looksLikePath } from './looks-like-path.ts';

const MAX_DEPTH = 4;
const MAX_MEMBERS = 512;
const MAX_TEXT_LENGTH = 1_024;
/** Ollama itself empties longer lists (of tokens, merges, …) unless it is asked for all. */
const MAX_LIST_LENGTH = 64;

/** Words of a member's name that mean what is never shown, wherever in the facts it stands. */
const HIDDEN = new Set([
  'template',
  'system',
  'license',
  'modelfile',
  'message',
  'messages',
  'path',
  '__proto__',
]);

/** A bounded copy of `model_info` or `projector_info`, without texts that are never shown and paths. */
export function copyFacts(value: unknown): JsonObject | undefined {
  return isObject(value) ? copyMembers(value, 1) : undefined;
}

function copyMembers(value: JsonObject, depth: number): JsonObject {
  const members: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    if (members.length === MAX_MEMBERS) break;
    if (isHidden(name)) continue;
    const copy = copyFact(member, depth);
    if (copy !== undefined) members.push([name, copy]);
  }
  return Object.fromEntries(members);
}

function copyFact(value: unknown, depth: number): unknown {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'string') return isShown(value) ? value : undefined;
  return depth < MAX_DEPTH ? copyNested(value, depth + 1) : undefined;
}

function isShown(text: string): boolean {
  return text.length <= MAX_TEXT_LENGTH && !looksLikePath(text);
}

function copyNested(value: unknown, depth: number): unknown {
  if (!Array.isArray(value)) return isObject(value) ? copyMembers(value, depth) : undefined;
  const list: readonly unknown[] = value;
  if (list.length > MAX_LIST_LENGTH) return [];
  return list.map((item) => copyFact(item, depth)).filter((item) => item !== undefined);
}

function isHidden(name: string): boolean {
  return (
    HIDDEN.has(name) ||
    looksLikePath(name) ||
    name
      .toLowerCase()
      .split(/[._-]+/)
      .some((word) => HIDDEN.has(word))
  );
}
