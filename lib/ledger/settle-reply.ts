interface SettleReply {
  /** Redis's time, milliseconds. */
  readonly nowMs: number;
}

/**
 * Types the reply of lua/settle-1.lua.
 * @throws TypeError for a reply that the script does not make
 */
export function readSettleReply(raw: unknown): SettleReply {
  const [kind, value] = raw as [unknown, unknown];
  if (kind === 'ok') return { nowMs: Number(value) };
  throw new TypeError(`settle replied ${String(kind)}`);
}
