import { boundPrompt } from '../admission/bound-prompt.ts';
import type { PromptContext } from '../admission/bound-prompt.ts';

/** What the smallest request would need of its limits: a letter in, a token out. */
export interface LeastRequest {
  /** Of the tokens of a minute. */
  readonly countedTokens: number;
  /** Of a budget, for its prompt. */
  readonly boundTokens: number;
  /** Of a budget, beside it; 0 for embeddings. */
  readonly outputTokens: 0 | 1;
}

const LETTER = { textBytes: 1, contextNumbers: 0, messages: 0, images: 0, template: false };

export function measureLeastRequest(context: Omit<PromptContext, 'imageTokens'>): LeastRequest {
  const isEmbedding = context.model.embedding;
  const call = { route: isEmbedding ? 'embeddings' : 'generate', measure: LETTER } as const;
  const outputTokens = isEmbedding ? 0 : 1;
  return {
    countedTokens: 1 + outputTokens,
    boundTokens: boundPrompt(call, { ...context, imageTokens: 0 }),
    outputTokens,
  };
}
