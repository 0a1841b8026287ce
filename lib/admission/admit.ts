import type { Grant } from '../access/grant.ts';
import type { Principal } from '../auth/principal.ts';
import { invalidKey } from '../errors/invalid-key.ts';
import type { Call } from '../http/call.ts';
import type { Exchange } from '../http/exchange.ts';
import type { AdmitRequest } from '../ledger/admit-request.ts';
import { NoAnswerError } from '../ledger/ask-admission.ts';
import type { Admission } from '../ledger/ask-admission.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Cancellation } from '../ledger/settle-request.ts';
import type { Clock } from '../time/clock.ts';
import { askUntilFilled } from './ask-until-filled.ts';
import type { PromptRules } from './bound-prompt.ts';
import type { Lease } from './lease.ts';
import { levelsOf } from './levels.ts';
import { toLimitHeaders } from './limit-headers.ts';
import type { LimiterPause } from './limiter-pause.ts';
import { limiterUnavailable } from './limiter-unavailable.ts';
import { refuseAdmission } from './refuse-admission.ts';
import { refuseTooLarge } from './refuse-too-large.ts';
import { sizeRequest } from './request-size.ts';
import type { RequestSize } from './request-size.ts';

export interface AdmitParts {
  readonly ledger: Pick<Ledger, 'admit' | 'shardOf'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly pause: LimiterPause;
  /** True while settlements of this worker wait for Redis in such a number that no more may start. */
  readonly isDenying: () => boolean;
  /** Takes back what Redis may have admitted without our hearing of it. */
  readonly cancel: (cancellation: Cancellation) => void;
  /** Called before each question to Redis: from the first on, holds of this worker may be there. */
  readonly onAsk: () => void;
  /** The owner of that shard is to fill counters. */
  readonly onFill: (shard: number) => void;
  /** The context length that goes upstream; null where none does. */
  readonly chooseNumCtx: (call: Call, principal: Principal, grant: Grant) => number | null;
  /** Cuts an address to what may be kept. */
  readonly cutAddress: (address: string) => string | null;
  readonly rules: AdmitRules;
}

export interface AdmitRules extends PromptRules {
  readonly admitTimeoutMs: number;
  readonly auditStreamMax: number;
  readonly defaultMaxTokens: number;
  readonly leastOutputTokens: number;
}

type Asker = Pick<Exchange, 'admissionId' | 'clientAddress' | 'clientRequestId' | 'dialect'>;

/** Step 4: may this request go upstream now. Redis decides; without its word nobody is admitted. */
export type Admit = (
  exchange: Asker,
  principal: Principal,
  call: Call,
  grant: Grant,
) => Promise<Lease>;

/**
 * @throws (the step it makes) GatewayError limiter_unavailable, audit_backlog, invalid_api_key,
 * request_too_large_for_limit, rate_limit_exceeded, budget_held, insufficient_quota
 */
export function makeAdmit(parts: AdmitParts): Admit {
  return async (exchange, principal, call, grant) => {
    const numCtx = parts.chooseNumCtx(call, principal, grant);
    const size = sizeRequest(call, principal, { ...parts.rules, model: grant.model, numCtx });
    const levels = levelsOf(principal);
    refuseTooLarge(size, levels);
    if (parts.isDenying() || parts.pause.isOn()) throw limiterUnavailable();

    const facts = {
      clientAddress: parts.cutAddress(exchange.clientAddress),
      clientRequestId: exchange.clientRequestId,
      dialect: exchange.dialect,
      endpoint: call.route,
      streamed: call.streamed,
      model: grant.model.name,
    };
    const request = toRequest({ id: exchange.admissionId, facts }, principal, size, parts.rules);
    const reply = await decide(parts, request);
    if (reply === undefined || reply.kind === 'late' || reply.kind === 'life') {
      throw limiterUnavailable();
    }
    if (reply.kind === 'revoked') throw invalidKey();
    const headers = toLimitHeaders(reply.usage, levels, reply.nowMs);
    if (reply.kind === 'no') throw refuseAdmission(reply, levels, size, headers);
    return {
      hold: reply.hold,
      admissionId: exchange.admissionId,
      admittedAtMs: reply.nowMs,
      numPredict: size.askedTokens === null ? null : reply.grantedTokens,
      promptBoundTokens: size.promptBoundTokens,
      headers,
    };
  };
}

function toRequest(
  about: Pick<AdmitRequest, 'id' | 'facts'>,
  { key, tenant }: Principal,
  size: RequestSize,
  rules: AdmitRules,
): Omit<AdmitRequest, 'timeoutMs'> {
  return {
    ...about,
    tenantId: tenant.tenantId,
    keyId: key.keyId,
    keyLimits: key.limits,
    tenantLimits: tenant.limits,
    ...size,
    askedTokens: size.askedTokens ?? 0,
    maxWaitingEntries: rules.auditStreamMax,
  };
}

/** undefined: counters were not filled in time. */
async function decide(
  parts: AdmitParts,
  request: Omit<AdmitRequest, 'timeoutMs'>,
): Promise<Exclude<Admission, { kind: 'fill' }> | undefined> {
  const onFill = (): void => {
    parts.onFill(parts.ledger.shardOf(request.tenantId));
  };
  const filling = { clock: parts.clock, timeoutMs: parts.rules.admitTimeoutMs, onFill };
  return askUntilFilled(filling, async (timeoutMs) => {
    parts.onAsk();
    try {
      const answer = await parts.ledger.admit({ ...request, timeoutMs });
      parts.pause.noteAnswer();
      return answer;
    } catch (error) {
      throw noteSilence(parts, error);
    }
  });
}

function noteSilence({ cancel, pause }: AdmitParts, error: unknown): unknown {
  if (!(error instanceof NoAnswerError)) return error;
  if (error.cancellation !== null) cancel(error.cancellation);
  if (error.timedOut) pause.noteTimeout();
  return limiterUnavailable();
}
