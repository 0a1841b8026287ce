/** What Redis says of a request that wants to go upstream. Times are Redis's, in milliseconds. */
export type AdmitReply =
  | { readonly kind: 'ok'; readonly nowMs: number }
  /** It came after its deadline: its sender has long answered, or guessed the time badly. */
  | { readonly kind: 'late'; readonly nowMs: number }
  | { readonly kind: 'revoked' }
  /** The stream is full: Postgres does not take what was served already. */
  | { readonly kind: 'backlog'; readonly entries: number };

/**
 * Types the reply of lua/admit-3.lua; nothing outside this file sees its array form.
 * @throws TypeError for a reply that the script does not make
 */
export function readAdmitReply(raw: unknown): AdmitReply {
  const [kind, value] = raw as [unknown, unknown];
  if (kind === 'ok' || kind === 'late') return { kind, nowMs: Number(value) };
  if (kind === 'revoked') return { kind };
  if (kind === 'backlog') return { kind, entries: Number(value) };
  throw new TypeError(`admit replied ${String(kind)}`);
}
