/**
 * Types the reply of lua/fail-1.lua: milliseconds until one more failure may pass, 0 for now.
 * @throws TypeError for a reply that the script does not make
 */
export function readFailReply(raw: unknown): number {
  const [kind, value] = raw as [unknown, unknown];
  if (kind === 'pass') return 0;
  if (kind === 'wait') return Number(value);
  throw new TypeError(`fail replied ${String(kind)}`);
}
