import type { Grant } from '../access/grant.ts';
import type { Principal } from '../auth/principal.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { invalidKey } from '../errors/invalid-key.ts';
import type { Call } from '../http/call.ts';
import type { Exchange } from '../http/exchange.ts';
import type { AdmitReply } from '../ledger/admit-reply.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { LedgerTimeoutError } from '../ledger/within.ts';
import type { Lease } from './lease.ts';
import type { LimiterPause } from './limiter-pause.ts';
import { chooseNumPredict } from './num-predict.ts';

interface AdmitParts {
  readonly ledger: Pick<Ledger, 'admit'>;
  readonly pause: LimiterPause;
  /** True while settlements of this worker wait for Redis in such a number that no more may start. */
  readonly isDenying: () => boolean;
  readonly admitTimeoutMs: number;
  readonly auditStreamMax: number;
  readonly defaultMaxTokens: number;
}

/** Step 4: may this request go upstream now. Redis decides; without its word nobody is admitted. */
export type Admit = (
  exchange: Pick<Exchange, 'admissionId'>,
  principal: Principal,
  call: Call,
  grant: Grant,
) => Promise<Lease>;

const RETRY_AFTER_MS = 1_000;

/**
 * @throws (the step it makes) GatewayError limiter_unavailable, audit_backlog, invalid_api_key,
 * request_too_large_for_limit
 */
export function makeAdmit(parts: AdmitParts): Admit {
  return async (exchange, principal, call) => {
    const numPredict = chooseNumPredict(call, principal, parts.defaultMaxTokens);
    if (parts.isDenying() || parts.pause.isOn()) throw limiterUnavailable();

    const reply = await decide(parts, principal);
    switch (reply.kind) {
      case 'ok':
        return { admissionId: exchange.admissionId, admittedAtMs: reply.nowMs, numPredict };
      case 'revoked':
        throw invalidKey();
      case 'late':
        throw limiterUnavailable();
      case 'backlog':
        throw new GatewayError(
          'audit_backlog',
          'Too many finished requests wait to be recorded. Try again shortly.',
          { retryAfterMs: RETRY_AFTER_MS },
        );
    }
  };
}

async function decide(parts: AdmitParts, principal: Principal): Promise<AdmitReply> {
  try {
    const reply = await parts.ledger.admit({
      tenantId: principal.tenant.tenantId,
      keyId: principal.key.keyId,
      timeoutMs: parts.admitTimeoutMs,
      maxWaitingEntries: parts.auditStreamMax,
    });
    parts.pause.noteAnswer();
    return reply;
  } catch (error) {
    if (error instanceof LedgerTimeoutError) parts.pause.noteTimeout();
    throw limiterUnavailable();
  }
}

function limiterUnavailable(): GatewayError {
  return new GatewayError(
    'limiter_unavailable',
    'Limits cannot be checked right now. Try again shortly.',
    { retryAfterMs: RETRY_AFTER_MS },
  );
}
