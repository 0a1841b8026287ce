import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Grant } from '../../lib/access/grant.ts';
import type { Lease } from '../../lib/admission/lease.ts';
import type { Principal } from '../../lib/auth/principal.ts';
import type { Call } from '../../lib/http/call.ts';
import type { Exchange } from '../../lib/http/exchange.ts';
import { HeldBytes } from '../../lib/http/held-bytes.ts';
import { Reservation } from '../../lib/http/reservation.ts';
import type { AdmitRequest } from '../../lib/ledger/admit-request.ts';
import type { Entry } from '../../lib/ledger/entry.ts';
import type { Hold } from '../../lib/ledger/hold.ts';
import { ByteBudget } from '../../lib/memory/byte-budget.ts';
import type { Limits } from '../../lib/shared/records.ts';

export const TENANT_ID = '0f0e0d0c-0b0a-4908-8706-050403020100';
export const KEY_ID = '11111111-2222-4333-8444-555555555555';
export const ADMISSION_ID = '01980000-0000-7000-8000-000000000001';

const NO_LIMITS: Limits = {
  requestsPerMinute: null,
  tokensPerMinute: null,
  concurrency: null,
  budgetTokens: null,
  budgetPeriod: null,
  maxOutputTokens: null,
};

/** A key without limits of a tenant without limits, but for what is given. */
export function samplePrincipal(
  limits: { readonly key?: Partial<Limits>; readonly tenant?: Partial<Limits> } = {},
): Principal {
  return {
    key: {
      keyId: KEY_ID,
      publicId: 'AAAAAAAAAAAA',
      tenantId: TENANT_ID,
      hash: '',
      secretTag: null,
      version: 1,
      status: 'active',
      expiresAtMs: null,
      allowAllModels: null,
      allowedModels: null,
      promptLog: false,
      limits: { ...NO_LIMITS, ...limits.key },
    },
    tenant: {
      tenantId: TENANT_ID,
      slug: 'acme',
      version: 1,
      status: 'active',
      allowAllModels: true,
      allowedModels: [],
      allowRuntimeOptions: false,
      maxNumCtx: null,
      limits: { ...NO_LIMITS, ...limits.tenant },
    },
  };
}

export function sampleCall(changes: Partial<Call> = {}): Call {
  return {
    route: 'chat',
    wishes: null,
    model: 'llama3',
    streamed: true,
    members: new HeldBytes(
      new Uint8Array(),
      new Reservation(new ByteBudget(1_024, 1_024), 'acme'),
      0,
    ),
    bodyWaitMs: 0,
    options: {},
    keepAlive: null,
    shift: null,
    idle: null,
    measure: { textBytes: 10, messages: 2, images: 0, contextNumbers: 0, template: false },
    ...changes,
  };
}

export const SAMPLE_GRANT: Grant = {
  model: {
    key: 'registry.ollama.ai/library/llama3:latest',
    name: 'llama3:latest',
    digest: 'sha256:0',
    listed: {},
    ownTextBytes: 0,
    embedding: false,
  },
  upstreams: [0],
};

/** What Redis holds for the sample request: a bound of 1,000 tokens and 100 of output. */
export function sampleHold(changes: Partial<Hold> = {}): Hold {
  return {
    id: ADMISSION_ID,
    shard: 0,
    keyId: KEY_ID,
    tenantId: TENANT_ID,
    admittedAtMs: 1_764_000_000_123,
    heldTokens: 1_100,
    countedTokens: 110,
    facts: '{}',
    ...changes,
  };
}

export function sampleLease(changes: Partial<Lease> = {}): Lease {
  const hold = changes.hold ?? sampleHold();
  return {
    hold,
    admissionId: hold.id,
    admittedAtMs: hold.admittedAtMs,
    numPredict: 100,
    promptBoundTokens: 1_000,
    headers: [],
    ...changes,
  };
}

/** A request on a socket that leads nowhere, begun at 1,000 ms of the monotonic clock. */
export function sampleExchange(changes: Partial<Exchange> = {}): Exchange {
  const request = new IncomingMessage(new Socket());
  return {
    request,
    response: new ServerResponse(request),
    admissionId: ADMISSION_ID,
    clientRequestId: 'client-0001',
    clientAddress: '192.0.2.77',
    dialect: 'native',
    startedAtMs: 1_000,
    standardHeaders: ['request-id', ADMISSION_ID],
    preflight: null,
    gone: new AbortController().signal,
    closed: Promise.resolve(),
    ...changes,
  };
}

/** A request of 100 tokens and a prompt of at most 40, without limits. */
export function sampleAdmitRequest(changes: Partial<AdmitRequest> = {}): AdmitRequest {
  return {
    id: ADMISSION_ID,
    tenantId: TENANT_ID,
    keyId: KEY_ID,
    facts: {
      clientAddress: '192.0.2.0/24',
      clientRequestId: 'client-0001',
      dialect: 'native',
      endpoint: 'chat',
      streamed: true,
      model: 'llama3:latest',
    },
    keyLimits: NO_LIMITS,
    tenantLimits: NO_LIMITS,
    promptTokens: 10,
    promptBoundTokens: 40,
    askedTokens: 100,
    leastTokens: 64,
    maxWaitingEntries: 1_000,
    timeoutMs: 1_000,
    ...changes,
  };
}

export function sampleEntry(changes: Partial<Entry> = {}): Entry {
  return {
    id: ADMISSION_ID,
    admittedAtMs: 1_764_000_000_123,
    tenantId: TENANT_ID,
    keyId: KEY_ID,
    clientAddress: '192.0.2.0/24',
    clientRequestId: 'client-0001',
    dialect: 'native',
    endpoint: 'chat',
    model: 'llama3:latest',
    status: 200,
    outcome: 'ok',
    refusalCode: null,
    promptTokens: 12,
    completionTokens: 34,
    chargedTokens: 46,
    countSource: 'reported',
    firstTokenMs: 20,
    durationMs: 400,
    bytesOut: 1_234,
    streamed: true,
    ...changes,
  };
}
