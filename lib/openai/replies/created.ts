const DATE_AND_TIME = /^\d{4}-\d\d-\d\d[Tt ]/;

/** Whole seconds since 1970 of a time in RFC 3339; null for what is none, and for times before. */
export function readUnixSeconds(value: unknown): number | null {
  if (typeof value !== 'string' || !DATE_AND_TIME.test(value)) return null;
  const seconds = Math.floor(Date.parse(value) / 1_000);
  // Go writes the year 1 for a time it does not know.
  return seconds >= 0 ? seconds : null;
}
