import { GatewayError } from '../errors/gateway-error.ts';
import { OPTION_NAMES } from '../ollama/requests/read-options.ts';
import { THINK_VALUES } from '../ollama/requests/read-shared.ts';
import { answeredBadly } from './failures.ts';

interface Wording {
  readonly pattern: RegExp;
  readonly param: string;
  readonly message: string;
}

/** What Ollama says of requests that the client can mend, and how we say it. */
const WORDINGS: readonly Wording[] = [
  wording(
    /longer than the context length|exceeds? (the )?(available |maximum )?context/,
    'messages',
    'The input is longer than the context of the model.',
  ),
  wording(/does not support thinking/, 'think', 'This model does not support `think`.'),
  wording(
    /invalid think value|think value .{0,32} is not supported/,
    'think',
    `\`think\` must be ${THINK_VALUES}.`,
  ),
  wording(/does not support tools/, 'tools', 'This model does not support `tools`.'),
  wording(/does not support chat/, 'model', 'This model does not support chat.'),
  wording(/does not support (generate|completion)/, 'model', 'This model does not generate text.'),
  wording(/does not support insert/, 'suffix', 'This model does not support `suffix`.'),
  wording(/does not support embeddings?/, 'model', 'This model does not support embeddings.'),
  wording(
    /image input is not supported|missing data required for image input|does not support (vision|images)/,
    'images',
    'This model does not support images.',
  ),
  wording(
    /illegal base64 data|failed to (load|decode|process) image|image: unknown format/,
    'images',
    'An image is not valid: send PNG, JPEG or WebP in plain base64.',
  ),
  wording(/image generation models/, 'model', 'This model makes images, which is not supported.'),
  wording(
    /raw mode does not support/,
    'raw',
    '`raw` cannot be combined with `template`, `system` or `context`.',
  ),
  wording(
    /invalid format|invalid JSON schema/,
    'format',
    '`format` must be "json" or a JSON Schema.',
  ),
  wording(/top_logprobs must be/, 'top_logprobs', '`top_logprobs` must be between 0 and 20.'),
  wording(/invalid input type/, 'input', '`input` must be a string or a list of strings.'),
  wording(/missing unit in duration|invalid duration/, 'keep_alive', '`keep_alive` is not valid.'),
];

const BAD_OPTION = /option "([a-z_]{1,32})" must be of type/;

/** Statuses by which a server says that the request will not do, now or later. */
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 422]);

const BUSY_RETRY_MS = 1_000;
/** Until the next poll has found the model gone, or somewhere else. */
const MISSING_RETRY_MS = 5_000;

/**
 * The refusal for an upstream's answer that was not 200. `body` is only compared with what is known
 * (SPEC §9): no character of it is in the refusal.
 */
export function rewordError(status: number, body: string): GatewayError {
  if (status === 503) {
    return new GatewayError('upstream_unavailable', 'The model server is busy.', {
      retryAfterMs: BUSY_RETRY_MS,
    });
  }
  if (status < 400) return answeredBadly();
  // Ollama says "not found" of a model alone; the snapshot had it, so the snapshot is behind.
  if (status === 404 && /model .*not found/s.test(body)) {
    return new GatewayError('models_unavailable', 'The model is not there any more.', {
      retryAfterMs: MISSING_RETRY_MS,
    });
  }
  return rewordBody(body) ?? (REFUSALS.has(status) ? notTaken() : answeredBadly());
}

/** A refusal that is known by its status alone. Nobody should ask the same again. */
function notTaken(): GatewayError {
  return new GatewayError('invalid_request', 'The model server does not take this request.');
}

function rewordBody(body: string): GatewayError | null {
  // Inside the JSON text, quotes are escaped, once more if the runner's own JSON is in there.
  const text = body.replaceAll('\\', '');
  const option = BAD_OPTION.exec(text)?.[1];
  // The name told back is ours, compared with the upstream's, never copied from it.
  const name = [...OPTION_NAMES].find((known) => known === option);
  if (name !== undefined) {
    return new GatewayError('invalid_request', `The option \`${name}\` has a wrong type.`, {
      param: `options.${name}`,
    });
  }
  const known = WORDINGS.find(({ pattern }) => pattern.test(text));
  if (!known) return null;
  return new GatewayError('invalid_request', known.message, { param: known.param });
}

function wording(pattern: RegExp, param: string, message: string): Wording {
  return { pattern, param, message };
}
