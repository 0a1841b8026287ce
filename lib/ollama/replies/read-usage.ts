import type { ReplyLine } from './parse-line.ts';

/** Tokens as a reply told them; null where it said nothing that can be believed. */
export interface Usage {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
}

/** No count is larger: it fits every column, and no model has such a context. */
export const MAX_COUNT = 2_147_483_647;

/**
 * What the last line says was used. Ollama leaves a count out when it is zero or unknown; what is
 * negative or no number counts as left out, a fraction is rounded up. How far a count is
 * believed is settlement's question.
 */
export function readUsage(line: ReplyLine): Usage {
  return {
    promptTokens: readCount(line['prompt_eval_count']),
    completionTokens: readCount(line['eval_count']),
  };
}

function readCount(value: unknown): number | null {
  if (typeof value !== 'number' || Number.isNaN(value) || value < 0) return null;
  return Math.min(Math.ceil(value), MAX_COUNT);
}
