import type { z } from 'zod';
import { value } from './value.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]{0,10}(?:Z|[+-]\d\d:\d\d)$/i;
/** Beyond it a year has five digits and RFC 3339 ends. */
const MAX_MS = Date.UTC(9999, 11, 31);

/**
 * When a key ends: `90d`, `12h`, `2027-01-31` (its first moment in UTC), an RFC 3339 time, or
 * `never`, which is null. What lies in the past is refused: `revoke-key` is for that.
 */
export function expiry(nowMs: number): z.ZodType<Date | null, string> {
  return value('a time to come: 90d, 12h, 2027-01-31, 2027-01-31T18:00:00Z, or never', (text) => {
    if (text === 'never' || text === 'none') return null;
    const endMs = readDuration(text, nowMs) ?? readDate(text);
    return endMs !== undefined && endMs > nowMs && endMs < MAX_MS ? new Date(endMs) : undefined;
  });
}

function readDuration(text: string, nowMs: number): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  return count === undefined || unitMs === undefined ? undefined : nowMs + Number(count) * unitMs;
}

function readDate(text: string): number | undefined {
  const day = text.slice(0, 10);
  if (text !== day && !RFC_3339.test(text)) return undefined;
  if (!isDay(day)) return undefined;
  const ms = Date.parse(text === day ? `${day}T00:00:00Z` : text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** Date.parse alone turns the 31st of February into March. */
function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}
