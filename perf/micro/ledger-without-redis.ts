import { randomUUID } from 'node:crypto';
import type { Ledger, LedgerParts } from '../../lib/ledger/ledger.ts';
import type { Used } from '../../lib/ledger/admit-reply.ts';
import type { AdmitLimits } from '../../lib/ledger/admit-request.ts';
import type { Redis } from '../../lib/store/redis.ts';

export const SETTLE_TIMEOUT_MS = 5_000;

/** A ledger that says yes and keeps nothing: for measuring what asking Redis costs, and for nothing else. */
export function openLedger(_connection: Redis, { clock }: LedgerParts): Ledger {
  const lifeId = randomUUID();
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    admit: ({ id, keyId, tenantId, keyLimits, tenantLimits, ...request }) => {
      const nowMs = clock.wallMs();
      const heldTokens = request.promptBoundTokens + request.askedTokens;
      const countedTokens = request.promptTokens + request.askedTokens;
      const about = { id, shard: 0, keyId, tenantId, facts: '' };
      return Promise.resolve({
        kind: 'ok' as const,
        nowMs,
        grantedTokens: request.askedTokens,
        heldTokens,
        usage: { key: useOf(keyLimits), tenant: useOf(tenantLimits) },
        hold: { ...about, admittedAtMs: nowMs, heldTokens, countedTokens },
      });
    },
    peek: () => Promise.reject(new Error('nothing is kept')),
    settle: nothing,
    cancel: () => Promise.resolve(true),
    note: nothing,
    renew: () =>
      Promise.resolve({ nowMs: clock.wallMs(), lifeId, current: true, unknown: [] as string[] }),
    rehold: nothing,
    shardOf: () => 0,
    estimateTimeMs: () => clock.wallMs(),
  };
}

/** As many numbers as there are limits, so that as many headers are made. */
function useOf(limits: AdmitLimits): Used {
  const use = (limit: number | null): number | null => (limit === null ? null : 1);
  return {
    requests: use(limits.requestsPerMinute),
    tokens: use(limits.tokensPerMinute),
    spentTokens: use(limits.budgetTokens),
    heldTokens: use(limits.budgetTokens),
  };
}
