import type { Grant } from '../access/grant.ts';
import type { Principal } from '../auth/principal.ts';
import type { GatewayError } from '../errors/gateway-error.ts';
import type { Call } from '../http/call.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Route } from '../http/routes.ts';
import type { Entry } from '../ledger/entry.ts';

/** What is known of a refused request whose key was proved. */
export interface RefusedFacts {
  readonly route?: Route;
  readonly principal: Principal;
  readonly call?: Call;
  readonly grant?: Grant;
  readonly refusal: GatewayError;
}

export interface RefusalContext {
  /** Redis's time as this worker knows it; fixed once, so that a repeated entry is known as such. */
  readonly admittedAtMs: number;
  /** Monotonic milliseconds of the close. */
  readonly endedAtMs: number;
  readonly cutAddress: (address: string) => string | null;
}

/**
 * The audit entry of a refusal. The model is told only where the caller may use it: any other name
 * is a client's text. Pure.
 */
export function toRefusalEntry(
  exchange: Exchange,
  facts: RefusedFacts,
  context: RefusalContext,
): Entry {
  const { principal, refusal } = facts;
  return {
    id: exchange.admissionId,
    admittedAtMs: context.admittedAtMs,
    tenantId: principal.tenant.tenantId,
    keyId: principal.key.keyId,
    clientAddress: context.cutAddress(exchange.clientAddress),
    clientRequestId: exchange.clientRequestId,
    dialect: exchange.dialect,
    endpoint: nameEndpoint(facts.route),
    model: facts.grant?.model.name ?? null,
    status: exchange.response.headersSent ? exchange.response.statusCode : refusal.status,
    outcome: 'refused',
    refusalCode: refusal.code,
    promptTokens: 0,
    completionTokens: 0,
    chargedTokens: 0,
    countSource: 'none',
    firstTokenMs: null,
    durationMs: Math.max(0, Math.round(context.endedAtMs - exchange.startedAtMs)),
    bytesOut: 0,
    streamed: facts.call?.streamed ?? false,
  };
}

function nameEndpoint(route: Route | undefined): string {
  if (route === undefined) return 'unknown';
  return 'name' in route ? route.name : route.kind;
}
