/**
 * A count that Redis's scripts add exactly: a whole number from `least` on, below 2^53.
 * @throws RangeError for anything else, before it is sent: a script would take NaN for a number
 */
export function checkCount(what: string, count: number, least = 0): number {
  if (Number.isSafeInteger(count) && count >= least) return count;
  throw new RangeError(`${what} is no count: ${count}`);
}
