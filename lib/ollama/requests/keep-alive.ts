import { toFieldFault } from './field-faults.ts';

const NANOSECONDS: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['\u00b5s', 1e3],
  ['\u03bcs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3_600e9],
]);

/** Go's largest duration is 2^63 - 1 ns; what is past it Ollama cannot read. */
const MAX_NANOSECONDS = 2 ** 63;
const MAX_LENGTH = 64;

/** `keep_alive`: seconds as a number, or a Go duration; null where the client names none. */
export function readKeepAlive(value: unknown): string | number | null {
  if (value === undefined || value === null) return null;
  const known = typeof value === 'string' || typeof value === 'number';
  if (known && Math.abs(toNanoseconds(value)) < MAX_NANOSECONDS) return value;
  throw toFieldFault('keep_alive', 'a number of seconds or a duration such as "5m"');
}

/** Ollama unloads a model for which this is nothing. */
export function isNothing(keepAlive: string | number | null): boolean {
  return keepAlive !== null && Math.trunc(toNanoseconds(keepAlive)) === 0;
}

function toNanoseconds(value: string | number): number {
  if (typeof value === 'number') return value * 1e9;
  const unsigned = /^[+-]/.test(value) ? value.slice(1) : value;
  return value.length > MAX_LENGTH ? NaN : parseDuration(unsigned);
}

/** Go's time.ParseDuration without the sign: `1h30m`, `1.5s`, `0`. NaN for what it refuses. */
function parseDuration(text: string): number {
  if (text === '0') return 0;
  const part = /(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;
  let total = text === '' ? NaN : 0;
  while (part.lastIndex < text.length) {
    const found = part.exec(text);
    if (!found) return NaN;
    total += Number(found[1]) * (NANOSECONDS.get(found[2] ?? '') ?? NaN);
  }
  return total;
}
