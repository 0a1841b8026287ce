import type { AdmitLimits } from '../../lib/ledger/admit-request.ts';
import type { Scope } from '../../lib/ledger/keys.ts';

export interface Caller {
  readonly keyId: string;
  readonly tenantId: string;
}

const ACME = '0f0e0d0c-0b0a-4908-8706-050403020100';
const BOLT = '1f0e0d0c-0b0a-4908-8706-050403020100';

/** Two keys of one tenant and one of another. */
export const CALLERS: readonly Caller[] = [
  { tenantId: ACME, keyId: '11111111-2222-4333-8444-555555555551' },
  { tenantId: ACME, keyId: '11111111-2222-4333-8444-555555555552' },
  { tenantId: BOLT, keyId: '11111111-2222-4333-8444-555555555553' },
];

export const SCOPES: readonly Scope[] = [
  ...CALLERS.map(({ keyId }) => `k:${keyId}` as const),
  `t:${ACME}`,
  `t:${BOLT}`,
];

export const NO_LIMITS: AdmitLimits = {
  requestsPerMinute: null,
  tokensPerMinute: null,
  concurrency: null,
  budgetTokens: null,
  budgetPeriod: null,
};

const day = (budgetTokens: number): Partial<AdmitLimits> => ({ budgetTokens, budgetPeriod: 'day' });
const month = (budgetTokens: number): Partial<AdmitLimits> => ({
  ...{ budgetTokens, budgetPeriod: 'month' },
});
const total = (budgetTokens: number): Partial<AdmitLimits> => ({
  ...{ budgetTokens, budgetPeriod: 'total' },
});

/** Limits that a few requests reach, raised, lowered, removed and put back; of none, too. */
export const LIMITS: readonly AdmitLimits[] = [
  {},
  day(700),
  day(1_500),
  day(4_000),
  month(900),
  month(2_500),
  total(1_200),
  total(5_000),
  { requestsPerMinute: 2 },
  { requestsPerMinute: 4, ...day(3_000) },
  { tokensPerMinute: 400 },
  { tokensPerMinute: 1_000, ...month(4_000) },
  { concurrency: 1, ...total(2_500) },
  { concurrency: 3, requestsPerMinute: 6, tokensPerMinute: 900 },
  { requestsPerMinute: 3, tokensPerMinute: 2_000 },
  { requestsPerMinute: 5, ...day(6_000) },
  { tokensPerMinute: 700, ...day(20_000) },
  { tokensPerMinute: 1_500, ...total(9_000) },
  { concurrency: 2, ...month(12_000) },
  { concurrency: 5 },
  { concurrency: 0 },
  { budgetTokens: 0, budgetPeriod: 'total' as const },
].map((limits) => ({ ...NO_LIMITS, ...limits }));
