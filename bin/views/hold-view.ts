import type { LiveHold } from '../../lib/inspection/live-holds.ts';
import type { Names } from '../../lib/inspection/names.ts';
import { showTime } from './limits-view.ts';

/** A running request in `--json`. */
export interface HoldDocument {
  /** The admission id, by which its audit row will be found. */
  readonly id: string;
  readonly tenant: string;
  readonly key: string;
  readonly model: string | null;
  readonly admitted_at: string;
  readonly held_tokens: number;
  /** What it has used so far, as its worker told last. */
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  /** When it lapses unless its worker renews it. */
  readonly lapses_at: string;
  readonly lapses_in_ms: number;
}

export function toHoldDocument(hold: LiveHold, names: Names, nowMs: number): HoldDocument {
  return {
    id: hold.id,
    tenant: names.tenant(hold.tenantId),
    key: names.key(hold.keyId),
    model: hold.model,
    admitted_at: new Date(hold.admittedAtMs).toISOString(),
    held_tokens: hold.heldTokens,
    prompt_tokens: hold.promptTokens,
    completion_tokens: hold.completionTokens,
    lapses_at: new Date(hold.lapsesAtMs).toISOString(),
    lapses_in_ms: Math.max(0, hold.lapsesAtMs - nowMs),
  };
}

/** Columns of a table of them. */
export const HOLD_COLUMNS: Readonly<Record<string, (hold: HoldDocument) => string>> = {
  tenant: (hold) => hold.tenant,
  key: (hold) => hold.key,
  model: (hold) => hold.model ?? '-',
  admitted: (hold) => showTime(new Date(hold.admitted_at)),
  held: (hold) => hold.held_tokens.toLocaleString('en'),
  progress: (hold) => (hold.prompt_tokens + hold.completion_tokens).toLocaleString('en'),
  'lapses in': (hold) => `${Math.ceil(hold.lapses_in_ms / 1_000)} s`,
  request: (hold) => hold.id,
};
