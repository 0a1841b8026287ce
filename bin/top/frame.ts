import { renderTable } from '../program/table.ts';
import type { Quantiles } from './change.ts';
import type { Figures, UserFigures } from './figures.ts';

const NONE = '–';
const MOST_REFUSALS = 6;

/** One screen of plain lines, the most important first: the end may be cut off. */
export function renderFrame(figures: Figures): readonly string[] {
  const { url, version, ready, at } = figures;
  return [
    `nzgw top  ${url}  gateway ${version ?? NONE}  ${ready ? 'READY' : 'NOT READY'}  ${toTime(at)}`,
    '',
    ...renderNow(figures),
    ...renderChecks(figures),
    '',
    ...renderRefusals(figures),
    ...renderUsers('tenant', figures.tenants),
    ...renderUsers('model', figures.models),
  ];
}

function renderNow(figures: Figures): readonly string[] {
  const { trust_valid: trust, workers, worker_restarts: restarts } = figures;
  const believed = trust === true ? 'valid' : 'LOST';
  return [
    `requests/s ${show(figures.requests_per_s)}   in flight ${show(figures.in_flight)}   ` +
      `tokens/s ${show(figures.prompt_tokens_per_s)} in, ${show(figures.completion_tokens_per_s)} out`,
    `duration ${showQuantiles(figures.duration)}   first token ${showQuantiles(figures.first_token)}`,
    `trust ${trust === null ? NONE : believed}, changes ${showSeconds(figures.revocation_lag_s)} old   ` +
      `audit ${show(figures.audit_waiting)} waiting, ${showSeconds(figures.audit_lag_s)} behind   ` +
      `workers ${show(workers)}, ${show(restarts)} restarts`,
  ];
}

function renderChecks({ checks }: Figures): readonly string[] {
  const words = checks.map(({ name, status, ms }) =>
    status === 'pass' ? `${name} ${ms.toFixed(1)} ms` : `${name} FAILS`,
  );
  return [`checks  ${words.length === 0 ? NONE : words.join('   ')}`];
}

function renderRefusals({ refusals }: Figures): readonly string[] {
  const head = ['refusals', 'per s', 'total'];
  if (refusals === null) return [...renderTable(head, [[NONE, NONE, NONE]]), ''];
  const rows = refusals
    .slice(0, MOST_REFUSALS)
    .map(({ code, per_s: rate, total }) => [code, show(rate), show(total)]);
  return [...renderTable(head, rows), ''];
}

function renderUsers(what: string, users: readonly UserFigures[] | null): readonly string[] {
  const head = [what, 'req/s', 'tok/s', 'requests'];
  if (users === null) return [...renderTable(head, [[NONE, NONE, NONE, NONE]]), ''];
  const rows = users.map((user) => [
    user.name,
    show(user.requests_per_s),
    show(user.tokens_per_s),
    show(user.requests),
  ]);
  return [...renderTable(head, rows), ''];
}

function show(value: number | null): string {
  return value === null ? NONE : value.toLocaleString('en', { maximumFractionDigits: 1 });
}

function showSeconds(seconds: number | null): string {
  return seconds === null ? NONE : `${seconds.toFixed(1)} s`;
}

function showQuantiles({ p50_ms: p50, p99_ms: p99, of }: Quantiles): string {
  const since = of === 'start' ? ' (since the start)' : '';
  return `p50 ${showMs(p50)} p99 ${showMs(p99)}${since}`;
}

function showMs(ms: number | null): string {
  if (ms === null) return NONE;
  return ms < 1_000 ? `${ms} ms` : showSeconds(ms / 1_000);
}

/** The time of day, UTC. */
function toTime(at: string): string {
  return `${at.slice(11, 19)} UTC`;
}
