/**
 * SQL that makes a row of `gateway.api_keys k left join gateway.key_limits l` into the JSON of a
 * KeyRow, so that a whole load, a change and a single lookup cannot differ.
 */
export const KEY_JSON = `json_build_object(
  'keyId', k.id, 'publicId', k.public_id, 'tenantId', k.tenant_id, 'hash', k.hash,
  'secretTag', encode(k.secret_tag, 'hex'), 'version', k.version, 'status', k.status,
  'expiresAtMs', case
    when k.expires_at = 'infinity' then null
    when k.expires_at = '-infinity' then 0
    else floor(extract(epoch from k.expires_at) * 1000) end,
  'allowAllModels', k.allow_all_models, 'allowedModels', to_json(k.allowed_models),
  'promptLog', k.prompt_log, 'limits', ${limitsJson('l')})`;

export const KEY_TABLES = 'gateway.api_keys k left join gateway.key_limits l on l.key_id = k.id';

/** The same of `gateway.tenants t left join gateway.tenant_limits m`, for a TenantRow. */
export const TENANT_JSON = `json_build_object(
  'tenantId', t.id, 'slug', t.slug, 'version', t.version, 'status', t.status,
  'allowAllModels', t.allow_all_models, 'allowedModels', to_json(t.allowed_models),
  'allowRuntimeOptions', t.allow_runtime_options, 'maxNumCtx', t.max_num_ctx,
  'limits', ${limitsJson('m')})`;

export const TENANT_TABLES =
  'gateway.tenants t left join gateway.tenant_limits m on m.tenant_id = t.id';

function limitsJson(alias: string): string {
  return `json_build_object(
    'requestsPerMinute', ${alias}.requests_per_minute,
    'tokensPerMinute', ${alias}.tokens_per_minute, 'concurrency', ${alias}.concurrency,
    'budgetTokens', ${alias}.budget_tokens, 'budgetPeriod', ${alias}.budget_period,
    'maxOutputTokens', ${alias}.max_output_tokens)`;
}
