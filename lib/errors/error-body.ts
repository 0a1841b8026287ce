import type { GatewayError } from './gateway-error.ts';

/** Which of the two wire formats a client speaks; told by the path alone. */
export type Dialect = 'native' | 'openai';

const OPENAI_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'invalid_request_error',
  415: 'invalid_request_error',
  429: 'rate_limit_error',
  431: 'invalid_request_error',
};

/** The JSON text of a refusal: `{"error":{…}}` for OpenAI clients, `{"error":"text"}` for Ollama's. */
export function toErrorBody(error: GatewayError, dialect: Dialect): string {
  if (dialect === 'native') return JSON.stringify({ error: error.message });
  return JSON.stringify({
    error: {
      message: error.message,
      type: OPENAI_TYPES[error.status] ?? 'api_error',
      param: error.details.param ?? null,
      code: error.code,
    },
  });
}
