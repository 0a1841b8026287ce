import type { KeyRow, TenantRow } from '../../lib/shared/records.ts';
import { makeKeyRow, makeTenantRow } from './rows.ts';

/** The hash as long as it is, and every limit set: a row of the size that a customer's has. */
const FULL = {
  hash: `$argon2id$v=19$m=19456,t=2,p=1$${'c'.repeat(22)}$${'h'.repeat(43)}`,
  secretTag: 'ab'.repeat(16),
  limits: {
    requestsPerMinute: 600,
    tokensPerMinute: 1_000_000,
    concurrency: 16,
    budgetTokens: 1_000_000_000,
    budgetPeriod: 'month',
    maxOutputTokens: 4_096,
  },
} as const;

const TENANTS = 100;

/** The public id of a key by its number. */
export function makeId(index: number): string {
  return `K${String(index).padStart(11, '0')}`;
}

/** One key of many, of one tenant of a hundred. */
export function makeFullKey(index: number, version: number): KeyRow {
  const tenantId = makeUuid(index % TENANTS);
  return makeKeyRow({
    ...FULL,
    keyId: makeUuid(index),
    publicId: makeId(index),
    tenantId,
    version,
  });
}

export function makeFullKeys(count: number, version: number): readonly KeyRow[] {
  return Array.from({ length: count }, (_, index) => makeFullKey(index, version));
}

/** One of the hundred tenants. */
export function makeFullTenant(index: number, version: number): TenantRow {
  return makeTenantRow({
    tenantId: makeUuid(index),
    version,
    allowedModels: ['llama3.2:latest'],
    limits: FULL.limits,
  });
}

export function makeTenants(version: number): readonly TenantRow[] {
  return Array.from({ length: TENANTS }, (_, index) => makeFullTenant(index, version));
}

function makeUuid(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
}
