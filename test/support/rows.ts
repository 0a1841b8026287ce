import type { KeyRow, Limits, TenantRow } from '../../lib/shared/records.ts';

export const NO_LIMITS: Limits = {
  requestsPerMinute: null,
  tokensPerMinute: null,
  concurrency: null,
  budgetTokens: null,
  budgetPeriod: null,
  maxOutputTokens: null,
};

/** A row of the key directory with everything at its default but what the test is about. */
export function makeKeyRow(changed: Partial<KeyRow> = {}): KeyRow {
  return {
    keyId: '00000000-0000-4000-8000-000000000001',
    publicId: 'AAAAAAAAAAAA',
    tenantId: '00000000-0000-4000-8000-00000000000a',
    hash: '$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHQ$aGFzaA',
    secretTag: null,
    version: 1,
    status: 'active',
    expiresAtMs: null,
    allowAllModels: null,
    allowedModels: null,
    promptLog: false,
    limits: NO_LIMITS,
    ...changed,
  };
}

export function makeTenantRow(changed: Partial<TenantRow> = {}): TenantRow {
  return {
    tenantId: '00000000-0000-4000-8000-00000000000a',
    slug: 'acme',
    version: 1,
    status: 'active',
    allowAllModels: true,
    allowedModels: [],
    allowRuntimeOptions: false,
    maxNumCtx: null,
    limits: NO_LIMITS,
    ...changed,
  };
}
