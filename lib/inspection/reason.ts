import type { RefusalCode } from '../errors/refusals.ts';
import type { BudgetPeriod } from '../shared/records.ts';

export type LimitName = 'requests' | 'tokens' | 'concurrency' | 'budget' | 'max_output';
export type Level = 'key' | 'tenant';

/** Why a request would be refused. */
export interface Reason {
  /** What its client would be told. */
  readonly code: RefusalCode;
  readonly text: string;
  /** Null: no limit is the reason. */
  readonly limit: LimitName | null;
  readonly level: Level | null;
  /** Until when, Redis's clock, ms since 1970; null where no clock ends it. */
  readonly untilMs: number | null;
}

/** One limit that is set, and what is left of it. */
export interface LimitState {
  readonly level: Level;
  readonly limit: LimitName;
  readonly period: 'minute' | BudgetPeriod | null;
  readonly max: number;
  readonly used: number;
  /** By running requests; null where the limit knows no holds. */
  readonly held: number | null;
  /** Never below 0. */
  readonly left: number;
  /** When the period ends; null where it does not, or slides. */
  readonly resetsAtMs: number | null;
}

/** A reason that no limit is part of. */
export function because(code: RefusalCode, text: string): Reason {
  return { code, text, limit: null, level: null, untilMs: null };
}
