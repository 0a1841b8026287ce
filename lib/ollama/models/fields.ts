import type { JsonObject } from '../json-object.ts';

/** Longest text that is copied from an upstream into a listing; a longer one is left out. */
const MAX_TEXT_LENGTH = 1_024;
/** Lists hold short words: families, capabilities. */
const MAX_WORDS = 32;
const MAX_WORD_LENGTH = 64;

export function readText(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= MAX_TEXT_LENGTH ? value : undefined;
}

/** A whole number from 0 to 2^53 − 1. */
export function readCount(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

/** A list of words; what is none is left out of it. */
export function readWords(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const list: readonly unknown[] = value;
  return list.slice(0, MAX_WORDS).filter(isWord);
}

/** Ollama's lists may be null, and clients are used to it. */
export function readWordsOrNull(value: unknown): readonly string[] | null | undefined {
  return value === null ? null : readWords(value);
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_WORD_LENGTH;
}

/** The object without members that are undefined: Ollama leaves out what it does not know. */
export function withoutGaps(members: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
