import { isObject } from '../../ollama/json-object.ts';
import type { JsonObject } from '../../ollama/json-object.ts';
import { readList } from './read-line.ts';

export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  /** UTF-8 of the token, which may be a part of a character; null: not told. */
  readonly bytes: readonly number[] | null;
}

export interface Logprob extends TokenLogprob {
  readonly top_logprobs: readonly TokenLogprob[];
}

/** Native `logprobs` with every member that OpenAI's clients expect; what is no entry is left out. */
export function toLogprobs(value: unknown): readonly Logprob[] {
  return readEntries(value).map((entry) => ({
    ...toTokenLogprob(entry),
    top_logprobs: readEntries(entry['top_logprobs']).map(toTokenLogprob),
  }));
}

type Entry = JsonObject & { readonly token: string; readonly logprob: number };

function readEntries(value: unknown): readonly Entry[] {
  return readList(value).filter(isEntry);
}

function isEntry(value: unknown): value is Entry {
  return isObject(value) && typeof value['token'] === 'string' && Number.isFinite(value['logprob']);
}

function toTokenLogprob({ token, logprob, bytes }: Entry): TokenLogprob {
  return { token, logprob, bytes: isBytes(bytes) ? bytes : null };
}

function isBytes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isInteger(item));
}
