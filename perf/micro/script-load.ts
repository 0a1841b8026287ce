import { randomUUID } from 'node:crypto';
import type { AdmitRequest } from '../../lib/ledger/admit-request.ts';
import type { Entry } from '../../lib/ledger/entry.ts';
import type { Hold } from '../../lib/ledger/hold.ts';

export interface KeyOfLoad {
  readonly keyId: string;
  readonly tenantId: string;
}

const FACTS = {
  clientAddress: '192.0.2.0/24',
  clientRequestId: null,
  dialect: 'native',
  endpoint: 'chat',
  streamed: true,
  model: 'llama3.2:latest',
} as const;

const LIMITS = {
  requestsPerMinute: 1_000_000_000,
  tokensPerMinute: 1_000_000_000_000,
  concurrency: 1_000_000,
  budgetTokens: 1_000_000_000_000,
} as const;

/** So many keys, evenly over so many tenants. */
export function makeKeys(keys: number, tenants: number): readonly KeyOfLoad[] {
  const tenantIds = Array.from({ length: tenants }, () => randomUUID());
  return Array.from({ length: keys }, (_, n) => ({
    keyId: randomUUID(),
    tenantId: tenantIds[n % tenants] ?? '',
  }));
}

/** A request with every limit set at both levels. */
export function makeAdmitRequest({ keyId, tenantId }: KeyOfLoad): AdmitRequest {
  return {
    id: randomUUID(),
    keyId,
    tenantId,
    facts: FACTS,
    keyLimits: { ...LIMITS, budgetPeriod: 'day' },
    tenantLimits: { ...LIMITS, budgetPeriod: 'month' },
    promptTokens: 30,
    promptBoundTokens: 700,
    askedTokens: 256,
    leastTokens: 64,
    maxWaitingEntries: 1_000_000,
    timeoutMs: 4_000,
  };
}

export function makeEntry(hold: Hold): Entry {
  return {
    ...FACTS,
    id: hold.id,
    admittedAtMs: hold.admittedAtMs,
    tenantId: hold.tenantId,
    keyId: hold.keyId,
    status: 200,
    outcome: 'ok',
    refusalCode: null,
    promptTokens: 20,
    completionTokens: 40,
    chargedTokens: 60,
    countSource: 'reported',
    firstTokenMs: 12,
    durationMs: 250,
    bytesOut: 4_000,
  };
}
