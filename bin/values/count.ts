import type { z } from 'zod';
import { value } from './value.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

/** Largest count that Postgres's integer columns hold. */
export const MAX_INTEGER = 2_147_483_647;

/** Largest count that stays exact in Redis's Lua numbers, with room for sums. */
export const MAX_TOKENS = 1_000_000_000_000_000;

/** "250", "100k", "1.5M" → a whole number, or undefined. */
export function readCount(text: string, max: number): number | undefined {
  const [, digits, unit = ''] = /^(\d[\d.]{0,24})([kKmMgG]?)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const exact = Number(digits) * (UNITS[unit.toLowerCase()] ?? NaN);
  const count = Math.round(exact);
  const isWhole = Math.abs(exact - count) < 1e-6;
  return isWhole && count <= max ? count : undefined;
}

/** A limit: a count, or `none`, which is null. */
export function limit(max: number): z.ZodType<number | null, string> {
  return value(`a count from 0 to ${max} (100k and 1M will do), or none`, (text) =>
    text === 'none' ? null : readCount(text, max),
  );
}

export function wholeNumber(min: number, max: number): z.ZodType<number, string> {
  return value(`a whole number from ${min} to ${max}`, (text) => {
    const count = readCount(text, max);
    return count !== undefined && count >= min ? count : undefined;
  });
}
