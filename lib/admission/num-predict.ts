import type { Principal } from '../auth/principal.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import type { Call } from '../http/call.ts';
import { isEmbedding } from './bound-prompt.ts';

/** Above what any model generates; sums of any number of holds stay exact below 2^53. */
const MOST_TOKENS = 1_000_000_000;

/**
 * What is sent as `options.num_predict` (SPEC §2.2): the least of what was asked and of the output
 * limits of key and tenant; null for embeddings, which generate nothing.
 *
 * @throws GatewayError request_too_large_for_limit where a limit allows no output at all
 */
export function chooseNumPredict(
  call: Call,
  principal: Principal,
  defaultMaxTokens: number,
): number | null {
  if (isEmbedding(call.route)) return null;

  const granted = Math.min(
    MOST_TOKENS,
    readAsked(call.options['num_predict']) ?? defaultMaxTokens,
    principal.key.limits.maxOutputTokens ?? Infinity,
    principal.tenant.limits.maxOutputTokens ?? Infinity,
  );
  if (granted >= 1) return granted;
  throw new GatewayError(
    'request_too_large_for_limit',
    'The output limit of this key or its tenant is 0 tokens: it may not generate text.',
  );
}

/** Ollama stops at a positive num_predict only: 0 means "without end" to it, as −1 and −2 do. */
function readAsked(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 1 ? Math.floor(value) : undefined;
}
