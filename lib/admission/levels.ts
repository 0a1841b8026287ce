import type { Principal } from '../auth/principal.ts';
import type { AdmitLimits } from '../ledger/admit-request.ts';
import { endOf } from '../ledger/counter.ts';

/** Whose limits: told in refusals. */
export type LevelName = 'key' | 'tenant';

/** The limits of one level under its name. */
export interface Level {
  readonly name: LevelName;
  readonly limits: AdmitLimits;
}

/** In the order in which they are asked. */
export function levelsOf({ key, tenant }: Principal): readonly [Level, Level] {
  return [
    { name: 'key', limits: key.limits },
    { name: 'tenant', limits: tenant.limits },
  ];
}

/** What is left of a limit; never below zero. A limit that is not set leaves nothing to tell. */
export function leftOf(limit: number | null, ...used: readonly (number | null)[]): number {
  return Math.max(
    0,
    used.reduce<number>((left, part) => left - Number(part), Number(limit)),
  );
}

/** When the period of a budget ends (ms since 1970, Redis's clock); null for all time. */
export function periodEnd({ budgetPeriod }: AdmitLimits, nowMs: number): number | null {
  return endOf(budgetPeriod ?? 'total', nowMs);
}
