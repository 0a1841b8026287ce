import type { z } from 'zod';
import { value } from './value.ts';

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3_600,
  d: 86_400,
  w: 604_800,
};
const MAX_SECONDS = 366 * 86_400;

/** How long something that is replaced goes on: `24h`, `7d`, or `0` for no longer; in seconds. */
export function grace(): z.ZodType<number, string> {
  return value('a time of a year at most: 30m, 24h, 7d, or 0', (text) => {
    if (text === '0') return 0;
    const [, count, unit = ''] = /^([1-9]\d{0,7})([smhdw])$/.exec(text) ?? [];
    const seconds = Number(count) * (UNIT_SECONDS[unit] ?? NaN);
    return seconds <= MAX_SECONDS ? seconds : undefined;
  });
}
