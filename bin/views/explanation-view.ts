import type { Explanation } from '../../lib/inspection/explain-request.ts';
import type { Names } from '../../lib/inspection/names.ts';
import type { LimitState, Reason } from '../../lib/inspection/reason.ts';
import type { Key } from '../../lib/tenants/key.ts';
import { renderTable } from '../program/table.ts';
import { HOLD_COLUMNS, toHoldDocument } from './hold-view.ts';
import type { HoldDocument } from './hold-view.ts';
import { toPrefix } from './key-view.ts';

interface ReasonDocument {
  readonly code: string;
  readonly message: string;
  readonly limit: string | null;
  readonly level: string | null;
  readonly until: string | null;
}

interface LimitDocument {
  readonly level: string;
  readonly limit: string;
  readonly period: string | null;
  readonly max: number;
  readonly used: number;
  readonly held: number | null;
  readonly left: number;
  readonly resets_at: string | null;
}

/** The answer of `explain` in `--json`. */
export interface ExplanationDocument {
  readonly ok: boolean;
  readonly key: string;
  readonly tenant: string;
  readonly model: string | null;
  readonly at: string;
  /** What a client would be told now; null: it would pass. */
  readonly code: string | null;
  /** When nothing known is in the way any more; null: no clock says. */
  readonly until: string | null;
  readonly reasons: readonly ReasonDocument[];
  readonly limits: readonly LimitDocument[];
  /** Running requests in the way. */
  readonly holds: readonly HoldDocument[];
}

export function toExplanationDocument(
  explanation: Explanation,
  key: Key,
  names: Names,
): ExplanationDocument {
  const { nowMs, reasons, limits, holds } = explanation;
  return {
    ok: reasons.length === 0,
    key: toPrefix(key),
    tenant: key.tenant,
    model: explanation.model,
    at: new Date(nowMs).toISOString(),
    code: reasons[0]?.code ?? null,
    until: toTime(latest(reasons)),
    reasons: reasons.map(({ text, untilMs, ...reason }) => ({
      code: reason.code,
      message: text,
      limit: reason.limit,
      level: reason.level,
      until: toTime(untilMs),
    })),
    limits: limits.map(({ resetsAtMs, ...limit }) => toLimitDocument(limit, resetsAtMs)),
    holds: holds.map((hold) => toHoldDocument(hold, names, nowMs)),
  };
}

export function renderExplanation(document: ExplanationDocument): readonly string[] {
  const { ok, key, tenant, model, reasons, limits, holds } = document;
  const subject = `A request of ${key} (${tenant}) for ${model ?? 'this model'}`;
  const header = ['level', 'limit', 'period', 'max', 'used', 'held', 'left', 'resets'];
  const rows = limits.map((limit) => [
    limit.level,
    limit.limit,
    limit.period ?? '-',
    ...[limit.max, limit.used, limit.held, limit.left].map(showCount),
    limit.resets_at ?? '-',
  ]);
  return [
    ok ? `${subject} would pass.` : `${subject} would be refused: ${document.code ?? ''}`,
    ...reasons.map(({ message, until }) => `  - ${message}${showUntil(until)}`),
    ...(rows.length === 0 ? [] : ['', ...renderTable(header, rows)]),
    ...(holds.length === 0 ? [] : ['', 'Held by', ...renderHolds(holds)]),
  ];
}

function renderHolds(holds: readonly HoldDocument[]): readonly string[] {
  const cells = holds.map((hold) => Object.values(HOLD_COLUMNS).map((read) => read(hold)));
  return renderTable(Object.keys(HOLD_COLUMNS), cells);
}

function toLimitDocument(
  limit: Omit<LimitState, 'resetsAtMs'>,
  resetsAtMs: number | null,
): LimitDocument {
  return {
    level: limit.level,
    limit: limit.limit,
    period: limit.period,
    max: limit.max,
    used: limit.used,
    held: limit.held,
    left: limit.left,
    resets_at: toTime(resetsAtMs),
  };
}

/** Null where one of them ends by no clock. */
function latest(reasons: readonly Reason[]): number | null {
  const ends = reasons.map(({ untilMs }) => untilMs);
  if (ends.length === 0 || ends.includes(null)) return null;
  return Math.max(...ends.map(Number));
}

function toTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function showUntil(until: string | null): string {
  return until === null ? '' : `, until ${until}`;
}

function showCount(count: number | null): string {
  return count === null ? '-' : count.toLocaleString('en');
}
