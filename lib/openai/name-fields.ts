import { GatewayError } from '../errors/gateway-error.ts';

/** The native route that serves an OpenAI request. */
type Served = 'chat' | 'generate' | 'embed' | 'embeddings';

/** Native fields of which model servers complain, as OpenAI's clients call them. */
const EVERYWHERE: ReadonlyMap<string, string> = new Map([
  ['think', 'reasoning_effort'],
  ['format', 'response_format'],
  ['images', 'messages'],
  ['options.num_predict', 'max_completion_tokens'],
]);

const OF_COMPLETIONS: ReadonlyMap<string, string> = new Map([
  ['messages', 'prompt'],
  ['top_logprobs', 'logprobs'],
  ['options.num_predict', 'max_tokens'],
]);

const OF_EMBEDDINGS: ReadonlyMap<string, string> = new Map([['messages', 'input']]);

const OF_ROUTE: Readonly<Record<Served, ReadonlyMap<string, string>>> = {
  chat: new Map(),
  generate: OF_COMPLETIONS,
  embed: OF_EMBEDDINGS,
  embeddings: OF_EMBEDDINGS,
};

/**
 * The same refusal in the words of a client that speaks OpenAI's dialect: what the upstream refused
 * is known by native names (SPEC §9).
 */
export function nameFields(error: GatewayError, route: Served): GatewayError {
  const { param } = error.details;
  if (param === undefined) return error;
  const name =
    OF_ROUTE[route].get(param) ?? EVERYWHERE.get(param) ?? param.replace(/^options\./, '');
  if (name === param) return error;
  const message = error.message.replaceAll(`\`${param}\``, `\`${name}\``);
  return new GatewayError(error.code, message, { ...error.details, param: name });
}
