import { askUntilFilled } from '../admission/ask-until-filled.ts';
import { leftOf, levelsOf, periodEnd } from '../admission/levels.ts';
import type { Level } from '../admission/levels.ts';
import { limiterUnavailable } from '../admission/limiter-unavailable.ts';
import type { Principal } from '../auth/principal.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { PeekLevel, PeekReply } from '../ledger/peek.ts';
import type { Clock } from '../time/clock.ts';

export interface KeyParts {
  readonly ledger: Pick<Ledger, 'peek' | 'shardOf'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly timeoutMs: number;
  /** The owner of that shard is to fill counters. */
  readonly onFill: (shard: number) => void;
}

/** Of a limit: what it is, what is used of it, what is left. */
interface WindowText {
  readonly limit: number;
  readonly used: number;
  readonly left: number;
}

interface LevelText {
  readonly requests: WindowText | null;
  readonly tokens: WindowText | null;
  readonly concurrency: { limit: number; running: number; left: number } | null;
  readonly budget: {
    readonly limit: number;
    readonly period: string;
    readonly spent: number;
    readonly held: number;
    readonly left: number;
    readonly resets_at: string | null;
  } | null;
  readonly max_output_tokens: number | null;
}

const RESETS = { day: 'daily', month: 'monthly', total: null } as const;

/**
 * The caller's own limits and what is used of them: the answer of GET /api/v1/key. Its first members
 * are those that tools already read of such an endpoint.
 * @throws GatewayError limiter_unavailable
 */
export async function describeKey(parts: KeyParts, principal: Principal): Promise<object> {
  const reply = await peek(parts, principal);
  const { publicId, expiresAtMs, limits } = principal.key;
  const [keyLevel, tenantLevel] = levelsOf(principal);
  const key = describeLevel(keyLevel, limits.maxOutputTokens, reply.key, reply.nowMs);
  const { slug, limits: tenantLimits } = principal.tenant;
  const tenant = describeLevel(
    tenantLevel,
    tenantLimits.maxOutputTokens,
    reply.tenant,
    reply.nowMs,
  );
  return {
    data: {
      label: `nz_${publicId}`,
      unit: 'tokens',
      limit: key.budget?.limit ?? null,
      limit_remaining: key.budget?.left ?? null,
      limit_reset: key.budget === null ? null : RESETS[limits.budgetPeriod ?? 'total'],
      usage: key.budget?.spent ?? null,
      expires_at: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
      key,
      tenant: { slug, ...tenant },
    },
  };
}

async function peek(
  { ledger, clock, timeoutMs, onFill }: KeyParts,
  { key, tenant }: Principal,
): Promise<Extract<PeekReply, { kind: 'ok' }>> {
  const { tenantId } = tenant;
  const request = {
    tenantId,
    keyId: key.keyId,
    keyLimits: key.limits,
    tenantLimits: tenant.limits,
  };
  const filling = {
    clock,
    timeoutMs,
    onFill: () => {
      onFill(ledger.shardOf(tenantId));
    },
  };
  const reply = await askUntilFilled(filling, (leftMs) =>
    ledger.peek(request, leftMs).catch((error: unknown) => {
      // A reply of no known shape is a bug, not an outage.
      throw error instanceof TypeError ? error : limiterUnavailable();
    }),
  );
  if (reply?.kind !== 'ok') throw limiterUnavailable();
  return reply;
}

function describeLevel(
  { limits }: Level,
  maxOutputTokens: number | null,
  used: PeekLevel,
  nowMs: number,
): LevelText {
  const { requestsPerMinute, tokensPerMinute, concurrency, budgetTokens, budgetPeriod } = limits;
  const { running, spentTokens, heldTokens } = used;
  const endMs = periodEnd(limits, nowMs);
  return {
    requests: describeWindow(requestsPerMinute, used.requests),
    tokens: describeWindow(tokensPerMinute, used.tokens),
    concurrency:
      concurrency === null
        ? null
        : { limit: concurrency, running, left: leftOf(concurrency, running) },
    budget:
      budgetTokens === null
        ? null
        : {
            limit: budgetTokens,
            period: budgetPeriod ?? 'total',
            spent: Number(spentTokens),
            held: Number(heldTokens),
            left: leftOf(budgetTokens, spentTokens, heldTokens),
            resets_at: endMs === null ? null : new Date(endMs).toISOString(),
          },
    max_output_tokens: maxOutputTokens,
  };
}

function describeWindow(limit: number | null, used: number): WindowText | null {
  return limit === null ? null : { limit, used, left: leftOf(limit, used) };
}
