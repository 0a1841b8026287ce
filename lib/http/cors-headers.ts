/** What a script may read of a response: what SPEC §9 has beside the body. */
export const EXPOSED_HEADERS: readonly string[] = [
  'request-id',
  'x-request-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-tokens',
  'x-budget-limit-tokens',
  'x-budget-remaining-tokens',
  'x-budget-reset',
  'x-nzgw-max-tokens',
];

/** What a script may send: what SDKs of OpenAI, Anthropic and Ollama put into a browser's request. */
const ALLOWED_HEADERS: readonly string[] = [
  'authorization',
  'content-type',
  'x-api-key',
  'accept',
  'user-agent',
  'anthropic-version',
  'anthropic-beta',
  'anthropic-dangerous-direct-browser-access',
  'openai-organization',
  'openai-project',
  'openai-beta',
  'idempotency-key',
  'x-request-id',
  'x-requested-with',
  'traceparent',
  'tracestate',
  'baggage',
  'x-stainless-arch',
  'x-stainless-async',
  'x-stainless-custom-poll-interval',
  'x-stainless-helper',
  'x-stainless-helper-method',
  'x-stainless-lang',
  'x-stainless-os',
  'x-stainless-package-version',
  'x-stainless-poll-helper',
  'x-stainless-read-timeout',
  'x-stainless-retry-count',
  'x-stainless-runtime',
  'x-stainless-runtime-version',
  'x-stainless-timeout',
];

/**
 * Of the names in an Access-Control-Request-Headers those that a script may send, once each, in our
 * order and spelling: nothing of the client's text is in it.
 */
export function listAllowedHeaders(requested: string): readonly string[] {
  const names = new Set(requested.split(',').map((name) => name.trim().toLowerCase()));
  return ALLOWED_HEADERS.filter((name) => names.has(name));
}
