import type { Scope } from './keys.ts';

/** `d20781` (days since 1970, UTC), `m202611`, or `t`: all time. */
export type PeriodName = `d${number}` | `m${number}` | 't';

/** One budget counter in Redis. */
export interface Counter {
  readonly scope: Scope;
  readonly period: PeriodName;
}

/** A counter with what the ledger in Postgres has for it. */
export interface LedgerSum extends Counter {
  readonly tokens: number;
}

const DAY_MS = 86_400_000;
const NAME = /^([kt]:[0-9a-f-]{36})\|(d\d{1,6}|m\d{6}|t)$/;

/** Reads a name of the set of counters to fill; undefined for anything else. */
export function readCounter(name: string): Counter | undefined {
  const [, scope, period] = NAME.exec(name) ?? [];
  if (scope === undefined || period === undefined) return undefined;
  return { scope: scope as Scope, period: period as PeriodName };
}

/** The periods that a moment lies in, by the names that the scripts give them (lua/counters.lua). */
export function periodsAt(ms: number): Readonly<Record<'day' | 'month' | 'total', PeriodName>> {
  const date = new Date(ms);
  const month = date.getUTCFullYear() * 100 + date.getUTCMonth() + 1;
  return { day: `d${Math.floor(ms / DAY_MS)}`, month: `m${month}`, total: 't' };
}

/** First and last day of a period as dates of Postgres; null for all time. */
export function daysOf(period: PeriodName): { readonly from: string; readonly to: string } | null {
  if (period === 't') return null;
  const number = Number(period.slice(1));
  if (period.startsWith('d')) {
    const day = toDate(number * DAY_MS);
    return { from: day, to: day };
  }
  const year = Math.floor(number / 100);
  const month = (number % 100) - 1;
  return { from: toDate(Date.UTC(year, month, 1)), to: toDate(Date.UTC(year, month + 1, 0)) };
}

/** When the period that a moment lies in ends; null for all time. */
export function endOf(period: 'day' | 'month' | 'total', ms: number): number | null {
  const date = new Date(ms);
  if (period === 'day') return (Math.floor(ms / DAY_MS) + 1) * DAY_MS;
  if (period === 'month') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  return null;
}

function toDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
