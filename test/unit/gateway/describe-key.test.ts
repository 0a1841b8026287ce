import { expect } from 'chai';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { describeKey } from '../../../lib/gateway/describe-key.ts';
import type { KeyParts } from '../../../lib/gateway/describe-key.ts';
import type { PeekReply, PeekRequest } from '../../../lib/ledger/peek.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { KEY_ID, samplePrincipal, TENANT_ID } from '../../support/sample-request.ts';

const NOW = Date.UTC(2026, 10, 24, 17);
const NONE = { requests: 0, tokens: 0, running: 0, spentTokens: null, heldTokens: null };
const USED = { requests: 3, tokens: 500, running: 2, spentTokens: 4_000, heldTokens: 700 };

function open(...replies: readonly (PeekReply | Error)[]): {
  parts: KeyParts;
  asked: PeekRequest[];
  fills: number[];
} {
  const asked: PeekRequest[] = [];
  const fills: number[] = [];
  const ledger = {
    shardOf: () => 4,
    peek: (request: PeekRequest) => {
      const reply = replies[asked.length] ?? { kind: 'fill', nowMs: NOW };
      asked.push(request);
      return reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply);
    },
  };
  const onFill = (shard: number): void => void fills.push(shard);
  return { parts: { ledger, clock: systemClock, timeoutMs: 120, onFill }, asked, fills };
}

describe('gateway/describe-key', () => {
  it('tells each limit of key and tenant, what is used of it and what is left', async () => {
    const limits = {
      requestsPerMinute: 60,
      tokensPerMinute: 400,
      concurrency: 4,
      budgetTokens: 5_000,
      maxOutputTokens: 300,
    };
    const principal = samplePrincipal({
      key: { ...limits, budgetPeriod: 'day' },
      tenant: { budgetTokens: 4_100, budgetPeriod: 'month' },
    });
    const { parts, asked } = open({ kind: 'ok', nowMs: NOW, key: USED, tenant: USED });
    const expires = { ...principal.key, expiresAtMs: NOW };
    expect(await describeKey(parts, { ...principal, key: expires })).to.deep.equal({
      data: {
        label: 'nz_AAAAAAAAAAAA',
        unit: 'tokens',
        limit: 5_000,
        limit_remaining: 300,
        limit_reset: 'daily',
        usage: 4_000,
        expires_at: '2026-11-24T17:00:00.000Z',
        key: {
          requests: { limit: 60, used: 3, left: 57 },
          tokens: { limit: 400, used: 500, left: 0 },
          concurrency: { limit: 4, running: 2, left: 2 },
          budget: {
            limit: 5_000,
            period: 'day',
            spent: 4_000,
            held: 700,
            left: 300,
            resets_at: '2026-11-25T00:00:00.000Z',
          },
          max_output_tokens: 300,
        },
        tenant: {
          slug: 'acme',
          requests: null,
          tokens: null,
          concurrency: null,
          budget: {
            limit: 4_100,
            period: 'month',
            spent: 4_000,
            held: 700,
            left: 0,
            resets_at: '2026-12-01T00:00:00.000Z',
          },
          max_output_tokens: null,
        },
      },
    });
    expect(asked[0]).to.include({ keyId: KEY_ID, tenantId: TENANT_ID });
  });

  it('says null where there is no limit, and where a budget never ends', async () => {
    const ok = { kind: 'ok', nowMs: NOW, key: NONE, tenant: NONE } as const;
    const free = await describeKey(open(ok).parts, samplePrincipal());
    const none = { limit: null, limit_remaining: null, limit_reset: null, usage: null };
    expect(free).to.have.property('data').that.includes(none);
    const total = samplePrincipal({ key: { budgetTokens: 10, budgetPeriod: null } });
    const told = await describeKey(open({ ...ok, key: USED }).parts, total);
    expect(told).to.have.property('data').that.includes({ limit: 10, limit_reset: null });
    expect(told).to.have.nested.property('data.key.budget.period', 'total');
    expect(told).to.have.nested.property('data.key.budget.resets_at', null);
  });

  it('waits until counters are filled', async () => {
    const ok = { kind: 'ok', nowMs: NOW, key: NONE, tenant: NONE } as const;
    const { parts, fills } = open({ kind: 'fill', nowMs: NOW }, ok);
    await describeKey(parts, samplePrincipal());
    expect(fills).to.deep.equal([4]);
  });

  it('is limiter_unavailable where Redis cannot say', async () => {
    for (const { parts } of [open(), open({ kind: 'life', nowMs: NOW }), open(new Error('away'))]) {
      const outcome = await describeKey(parts, samplePrincipal()).catch((error: unknown) => error);
      expect(outcome).to.be.instanceOf(GatewayError).with.property('code', 'limiter_unavailable');
    }
  });
});
