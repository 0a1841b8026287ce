import type { z } from 'zod';
import { value } from './value.ts';

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/**
 * `7d`, `24h`, `today` or `2026-11-23` → the UTC day that it begins with, as a date. Sums are kept
 * by day: an hour means its whole day. A day to come is refused.
 */
export function since(nowMs: number): z.ZodType<string, string> {
  return value('a time that is over: 7d, 24h, today, or a day, 2026-11-23', (text) => {
    if (text === 'today') return toDay(nowMs);
    const day = readAge(text, nowMs) ?? readDay(text);
    return day !== undefined && day <= toDay(nowMs) ? day : undefined;
  });
}

function readAge(text: string, nowMs: number): string | undefined {
  const [, count, unit = ''] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  if (count === undefined || unitMs === undefined) return undefined;
  return toDay(Math.max(0, nowMs - Number(count) * unitMs));
}

/** Date.parse alone turns the 31st of February into March. */
function readDay(text: string): string | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && toDay(ms) === text ? text : undefined;
}

function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
