import type { ReadinessCheck } from '../admin/read-readiness.ts';
import { largestOf, quantilesOf, rateOf, ratesBy, sumBy, sumOf } from './change.ts';
import type { Change, Quantiles } from './change.ts';

/** What `nzgw top` shows, as `--json` has it. What the gateway does not tell is null. */
export interface Figures {
  readonly at: string;
  readonly url: string;
  readonly interval_ms: number;
  readonly version: string | null;
  readonly ready: boolean;
  readonly checks: readonly ReadinessCheck[];
  readonly workers: number | null;
  readonly worker_restarts: number | null;
  readonly requests_per_s: number | null;
  readonly prompt_tokens_per_s: number | null;
  readonly completion_tokens_per_s: number | null;
  readonly in_flight: number | null;
  readonly duration: Quantiles;
  readonly first_token: Quantiles;
  readonly trust_valid: boolean | null;
  readonly revocation_lag_s: number | null;
  readonly audit_waiting: number | null;
  readonly audit_lag_s: number | null;
  /** The busiest first. */
  readonly refusals: readonly RefusalFigures[] | null;
  readonly tenants: readonly UserFigures[] | null;
  readonly models: readonly UserFigures[] | null;
}

export interface RefusalFigures {
  readonly code: string;
  readonly per_s: number;
  /** Since the gateway's start. */
  readonly total: number;
}

export interface UserFigures {
  /** Of a tenant, the label of its metrics; of a model its name. */
  readonly name: string;
  readonly requests_per_s: number;
  readonly tokens_per_s: number | null;
  /** Since the gateway's start. */
  readonly requests: number;
}

interface Where {
  readonly url: string;
  readonly wallMs: number;
}

const MOST_USERS = 20;

/** What changed between two moments, and what stands now. */
export function toFigures(change: Change, { url, wallMs }: Where): Figures {
  const { before, after } = change;
  const trust = sumOf(after, 'gateway_trust_valid');
  const tokens = (direction: string): number | null =>
    round(
      rateOf(change, 'gateway_tokens_total', (l) => (l['direction'] === direction ? '' : null)),
    );
  return {
    at: new Date(wallMs).toISOString(),
    url,
    interval_ms: Math.round(after.atMs - before.atMs),
    version: after.metrics.get('gateway_build_info')?.[0]?.labels['version'] ?? null,
    ready: after.readiness.ready,
    checks: after.readiness.checks,
    workers: sumOf(after, 'gateway_workers'),
    worker_restarts: sumOf(after, 'gateway_worker_restarts_total'),
    requests_per_s: round(rateOf(change, 'gateway_requests_total')),
    prompt_tokens_per_s: tokens('prompt'),
    completion_tokens_per_s: tokens('completion'),
    in_flight: sumOf(after, 'gateway_inflight_requests'),
    duration: quantilesOf(change, 'gateway_request_duration_seconds'),
    first_token: quantilesOf(change, 'gateway_time_to_first_token_seconds'),
    trust_valid: trust === null ? null : trust > 0,
    revocation_lag_s: finite(round(largestOf(after, 'gateway_revocation_lag_seconds'))),
    audit_waiting: sumOf(after, 'gateway_audit_stream_length'),
    audit_lag_s: finite(round(largestOf(after, 'gateway_audit_lag_seconds'))),
    refusals: listRefusals(change),
    tenants: listUsers(change, 'tenant'),
    models: listUsers(change, 'model'),
  };
}

function listRefusals(change: Change): readonly RefusalFigures[] | null {
  const name = 'gateway_refusals_total';
  const rates = ratesBy(change, name, ({ code }) => code ?? null);
  if (!rates) return null;
  const totals = sumBy(change.after, name, ({ code }) => code ?? null);
  return [...totals]
    .filter(([, total]) => total > 0)
    .map(([code, total]) => ({ code, per_s: round(rates.get(code) ?? 0) ?? 0, total }))
    .sort((a, b) => b.per_s - a.per_s || b.total - a.total);
}

/** At most twenty: by tokens, then by requests, then by all that they ever asked. */
function listUsers(change: Change, label: 'tenant' | 'model'): readonly UserFigures[] | null {
  const requests = ratesBy(change, 'gateway_requests_total', (labels) => labels[label] ?? null);
  if (!requests) return null;
  const tokens = ratesBy(change, 'gateway_tokens_total', (labels) => labels[label] ?? null);
  const totals = sumBy(change.after, 'gateway_requests_total', (labels) => labels[label] ?? null);
  const users = [...totals].map(([name, total]) => ({
    name,
    requests_per_s: round(requests.get(name) ?? 0) ?? 0,
    tokens_per_s: tokens && round(tokens.get(name) ?? 0),
    requests: total,
  }));
  users.sort(
    (a, b) =>
      (b.tokens_per_s ?? 0) - (a.tokens_per_s ?? 0) ||
      b.requests_per_s - a.requests_per_s ||
      b.requests - a.requests,
  );
  return users.slice(0, MOST_USERS);
}

function round(value: number | null): number | null {
  return value === null ? null : Math.round(value * 100) / 100;
}

/** Infinity is how the gateway says "never", and is nothing that JSON has. */
function finite(value: number | null): number | null {
  return value === Infinity ? null : value;
}
