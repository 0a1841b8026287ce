/**
 * Every way a request can be refused, with its status. The code is public API (SPEC §9); nothing
 * is refused with a code that is not here.
 */
export const REFUSALS = {
  invalid_request: 400,
  ambiguous_json: 400,
  request_too_large_for_limit: 400,
  invalid_api_key: 401,
  /** Of a reply that had begun: before that the key is simply not valid any more. */
  revoked: 401,
  model_not_allowed: 403,
  endpoint_blocked: 403,
  tenant_suspended: 403,
  not_found: 404,
  request_timeout: 408,
  request_too_large: 413,
  unsupported_encoding: 415,
  headers_too_large: 431,
  rate_limit_exceeded: 429,
  budget_held: 429,
  too_many_failures: 429,
  insufficient_quota: 429,
  internal_error: 500,
  upstream_error: 502,
  upstream_timeout: 504,
  limiter_unavailable: 503,
  auth_unavailable: 503,
  models_unavailable: 503,
  audit_backlog: 503,
  upstream_unavailable: 503,
  overloaded: 503,
  draining: 503,
} as const;

export type RefusalCode = keyof typeof REFUSALS;
