import { GatewayError } from '../errors/gateway-error.ts';

/** The native route that serves an OpenAI request. */
type Served = 'chat' | 'generate' | 'embed' | 'embeddings';

/** A native field of which model servers complain, as OpenAI's clients know it. */
interface Naming {
  /** Null: they have none for it. */
  readonly param: string | null;
  /** In place of a text that tells of native values; not of one that says what a model cannot do. */
  readonly message?: string;
}

const THINK: Naming = {
  param: 'reasoning_effort',
  message: 'The model server does not take this `reasoning_effort`.',
};
const FORMAT: Naming = {
  param: 'response_format',
  message: '`response_format` has a schema that the model server does not take.',
};
const IMAGES: Naming = {
  param: 'messages',
  message: 'An image is not valid: send PNG, JPEG or WebP as a data URL in base64.',
};
const NONE: Naming = { param: null };

type Namings = Readonly<Record<string, Naming>>;

const OF_ALL: Namings = {
  model: { param: 'model' },
  messages: { param: 'messages' },
  tools: { param: 'tools' },
  think: THINK,
  format: FORMAT,
  images: IMAGES,
  'options.temperature': { param: 'temperature' },
  'options.top_p': { param: 'top_p' },
  'options.seed': { param: 'seed' },
  'options.stop': { param: 'stop' },
  'options.frequency_penalty': { param: 'frequency_penalty' },
  'options.presence_penalty': { param: 'presence_penalty' },
  'options.num_predict': { param: 'max_completion_tokens' },
  top_logprobs: { param: 'top_logprobs' },
};

const OF_COMPLETIONS: Namings = {
  ...OF_ALL,
  messages: { param: 'prompt' },
  suffix: { param: 'suffix' },
  top_logprobs: { param: 'logprobs' },
  'options.num_predict': { param: 'max_tokens' },
  think: NONE,
  format: NONE,
  images: NONE,
};

const OF_EMBEDDINGS: Namings = {
  model: { param: 'model' },
  messages: { param: 'input' },
  input: { param: 'input' },
};

const OF_ROUTE: Readonly<Record<Served, Namings>> = {
  chat: OF_ALL,
  generate: OF_COMPLETIONS,
  embed: OF_EMBEDDINGS,
  embeddings: OF_EMBEDDINGS,
};

/**
 * The same refusal in the words of a client that speaks OpenAI's dialect: what the upstream refused
 * is known by native names (SPEC §9). Of a field that this client does not have it names none.
 */
export function nameFields(error: GatewayError, route: Served): GatewayError {
  const { param, ...details } = error.details;
  if (param === undefined) return error;
  const naming = OF_ROUTE[route][param] ?? NONE;
  const named = naming.param === null ? details : { ...details, param: naming.param };
  return new GatewayError(error.code, toMessage(error.message, param, naming), named);
}

function toMessage(native: string, nativeParam: string, { param, message }: Naming): string {
  if (message !== undefined && !native.includes('does not support')) return message;
  const bare = nativeParam.replace(/^options\./, '');
  return native.replaceAll(`\`${bare}\``, `\`${param ?? bare}\``);
}
