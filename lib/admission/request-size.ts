import type { Principal } from '../auth/principal.ts';
import type { Call } from '../http/call.ts';
import { boundPrompt, estimatePrompt } from './bound-prompt.ts';
import type { PromptContext } from './bound-prompt.ts';
import { chooseNumPredict } from './num-predict.ts';

/** What a request asks of limits, in tokens. */
export interface RequestSize {
  /** The prompt, estimated: for the tokens of a minute. */
  readonly promptTokens: number;
  /** The most the prompt can be: for budgets. */
  readonly promptBoundTokens: number;
  /** Output that is wanted; null for embeddings, which generate nothing. */
  readonly askedTokens: number | null;
  /** The tokens of a minute do not lower the output below this; 0 for embeddings. */
  readonly leastTokens: number;
}

export interface SizeContext extends PromptContext {
  readonly defaultMaxTokens: number;
  readonly leastOutputTokens: number;
}

/** @throws GatewayError request_too_large_for_limit where an output limit is 0 */
export function sizeRequest(call: Call, principal: Principal, context: SizeContext): RequestSize {
  const askedTokens = chooseNumPredict(call, principal, context.defaultMaxTokens);
  return {
    promptTokens: estimatePrompt(call),
    promptBoundTokens: boundPrompt(call, context),
    askedTokens,
    leastTokens: Math.min(context.leastOutputTokens, askedTokens ?? 0),
  };
}

/** What must at least be free in the tokens of a minute. */
export function leastOfMinute({ promptTokens, leastTokens }: RequestSize): number {
  return promptTokens + leastTokens;
}

/** What must at least be left of a budget: the prompt and, of what generates, one token. */
export function leastOfBudget({ promptBoundTokens, askedTokens }: RequestSize): number {
  return promptBoundTokens + (askedTokens === null ? 0 : 1);
}
