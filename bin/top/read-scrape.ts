import { systemClock } from '../../lib/time/clock.ts';
import { askAdmin, refuseAnswer } from '../admin/ask-admin.ts';
import type { AdminPlace } from '../admin/ask-admin.ts';
import { readReadiness } from '../admin/read-readiness.ts';
import type { Readiness } from '../admin/read-readiness.ts';
import { parseMetrics } from './parse-metrics.ts';
import type { Metrics } from './parse-metrics.ts';

/** What a gateway told of itself at one moment. */
export interface Scrape {
  /** By the monotonic clock. */
  readonly atMs: number;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
}

/** The metrics that are shown. Each may be missing. */
export const WANTED: ReadonlySet<string> = new Set([
  'gateway_requests_total',
  'gateway_tokens_total',
  'gateway_request_duration_seconds',
  'gateway_time_to_first_token_seconds',
  'gateway_refusals_total',
  'gateway_inflight_requests',
  'gateway_audit_stream_length',
  'gateway_audit_lag_seconds',
  'gateway_trust_valid',
  'gateway_revocation_lag_seconds',
  'gateway_workers',
  'gateway_worker_restarts_total',
  'gateway_build_info',
]);

const WITHIN_MS = 3_000;

/** Asks for both, on two connections. Throws CommandError as `askAdmin` and `readReadiness` do. */
export async function readScrape(place: AdminPlace, signal?: AbortSignal): Promise<Scrape> {
  const [readiness, answer] = await Promise.all([
    readReadiness(place, WITHIN_MS, signal),
    askAdmin(place, { path: '/metrics', withinMs: WITHIN_MS, signal }),
  ]);
  if (answer.status !== 200) throw refuseAnswer(place);
  const atMs = systemClock.monotonicMs();
  return { atMs, readiness, metrics: parseMetrics(answer.text, WANTED) };
}
