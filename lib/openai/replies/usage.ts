import type { Usage } from '../../ollama/replies/read-usage.ts';

/** As OpenAI's chats and completions tell it. What the upstream did not count is 0. */
export interface OpenAiUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export function toOpenAiUsage({ promptTokens, completionTokens }: Usage): OpenAiUsage {
  const prompt = promptTokens ?? 0;
  const completion = completionTokens ?? 0;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  };
}
