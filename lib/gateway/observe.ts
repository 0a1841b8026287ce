import { CLIENT_LEFT_STATUS } from '../errors/client-left.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Entry } from '../ledger/entry.ts';
import type { LineLimit } from '../log/line-limit.ts';
import type { LogFields, Logger } from '../log/logger.ts';
import { toAuthResult } from '../metrics/worker-metrics.ts';
import type { WorkerMetrics } from '../metrics/worker-metrics.ts';
import type { Clock } from '../time/clock.ts';
import type { Facts } from './stages.ts';

export interface ObserveParts {
  readonly log: Logger;
  readonly metrics: Pick<WorkerMetrics, 'countRequest' | 'countAuth'>;
  readonly clock: Clock;
  /** Bounds the lines about requests without a proved key. */
  readonly strangers: LineLimit;
  /** Cuts an address to what may be kept. */
  readonly cutAddress: (address: string) => string | null;
}

/** One line in the log and one count a finished request (SPEC §12). Probes are not logged. */
export function observe(parts: ObserveParts, exchange: Exchange, facts: Facts): void {
  const tenant = facts.principal?.tenant.slug;
  const durationMs = parts.clock.monotonicMs() - exchange.startedAtMs;
  count(parts, facts, { status: readStatus(exchange), durationMs });
  if (facts.route?.kind === 'open') return;

  const unsaid = tenant === undefined ? parts.strangers.take() : 0;
  if (unsaid === undefined) return;
  const fields = describeRequest(parts, exchange, facts, durationMs);
  parts.log.info(unsaid > 0 ? { ...fields, 'nzgw.unsaid': unsaid } : fields, 'request');
}

function count(
  { metrics }: ObserveParts,
  { principal, grant, lease, refusal, entry }: Facts,
  ended: { readonly status: number; readonly durationMs: number },
): void {
  const code = refusal?.code;
  metrics.countRequest({
    ...ended,
    tenant: principal?.tenant.slug,
    model: grant?.model.name,
    refusal: code,
    usage: lease && entry,
  });
  // Who is known was let in, but for a tenant that is suspended.
  if (code === undefined || (principal && code !== 'tenant_suspended')) return;
  const result = toAuthResult(code);
  if (result !== undefined) metrics.countAuth(result);
}

function describeRequest(
  parts: ObserveParts,
  exchange: Exchange,
  facts: Facts,
  durationMs: number,
): LogFields {
  const { route, principal, grant, call, refusal } = facts;
  return {
    event: 'request',
    request_id: exchange.admissionId,
    'http.route': route && 'name' in route ? route.name : route?.kind,
    'http.response.status_code': readStatus(exchange),
    'client.address': parts.cutAddress(exchange.clientAddress),
    'error.type': refusal?.code,
    'gen_ai.request.model': grant?.model.name,
    'nzgw.dialect': exchange.dialect,
    'nzgw.tenant': principal?.tenant.slug,
    'nzgw.key': principal?.key.publicId,
    'nzgw.stream': call?.streamed,
    'nzgw.duration_ms': Math.round(durationMs),
    ...describeUsage(facts.entry),
  };
}

function describeUsage(entry: Entry | undefined): LogFields {
  if (!entry) return {};
  return {
    'gen_ai.usage.input_tokens': entry.promptTokens,
    'gen_ai.usage.output_tokens': entry.completionTokens,
    'nzgw.usage_source': entry.countSource,
    'nzgw.outcome': entry.outcome,
    'nzgw.ttft_ms': entry.firstTokenMs,
  };
}

function readStatus({ response }: Exchange): number {
  return response.headersSent ? response.statusCode : CLIENT_LEFT_STATUS;
}
