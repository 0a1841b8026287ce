import { expect } from 'chai';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { Running } from '../../../lib/gateway/running.ts';
import type { Principal } from '../../../lib/auth/principal.ts';
import type { RunningRequest } from '../../../lib/gateway/running.ts';
import { makeRunningWatch } from '../../../lib/gateway/running-watch.ts';
import type { RunningWatch } from '../../../lib/gateway/running-watch.ts';
import type { KeyRow, TenantRow, Trust } from '../../../lib/shared/records.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import { makeKeyRow, makeTenantRow } from '../../support/rows.ts';
import { sampleExchange } from '../../support/sample-request.ts';

const GRACE_MS = 30_000;
const LEASE_MS = 750;

describe('gateway/running-watch', () => {
  const open = Promise.withResolvers<undefined>();
  let nowMs: number;
  let generation: number;
  let trust: Trust | undefined;
  let keys: Map<string, KeyRow>;
  let tenant: TenantRow;
  let holdsTenant: boolean;
  let running: Running;
  let watch: RunningWatch;
  let reads: number;

  beforeEach(() => {
    nowMs = 0;
    generation = 1;
    reads = 0;
    trust = { deadlineMs: LEASE_MS, runId: 'r' };
    keys = new Map();
    tenant = makeTenantRow();
    holdsTenant = true;
    running = new Running();
    watch = makeRunningWatch({
      shared: {
        refresh: () => undefined,
        readTrust: () => trust,
        readGeneration: () => generation,
        readKey: (publicId) => {
          reads += 1;
          return keys.get(publicId);
        },
        readTenant: () => (holdsTenant ? tenant : undefined),
      },
      clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
      running,
      graceMs: GRACE_MS,
    });
  });

  function begin(publicId: string): RunningRequest {
    const key = makeKeyRow({ publicId });
    if (!keys.has(publicId)) keys.set(publicId, key);
    return beginFor({ key, tenant });
  }

  /** Of a key that Postgres was asked for: shared memory does not have it yet. */
  function beginUnheld(believedUntilMs: number): RunningRequest {
    return beginFor({ key: makeKeyRow({ publicId: 'new' }), tenant, believedUntilMs });
  }

  function beginFor(principal: Principal): RunningRequest {
    return running.begin(sampleExchange({ closed: open.promise }), {
      principal,
      tally: startTally(),
    });
  }

  function change(publicId: string, changed: Partial<KeyRow>): void {
    keys.set(publicId, makeKeyRow({ publicId, ...changed }));
    generation += 1;
  }

  it('ends what runs for a revoked key, and nothing else', () => {
    const [ended, other] = [begin('a'), begin('b')];
    watch.look();
    expect(ended.reason).to.equal(undefined);
    change('a', { status: 'revoked' });
    watch.look();
    expect(ended.reason).to.be.instanceOf(GatewayError);
    expect(ended.reason?.code).to.equal('revoked');
    expect(other.reason).to.equal(undefined);
  });

  it('ends what runs for a closed tenant; a suspended one and an expired key may finish', () => {
    const request = begin('a');
    tenant = makeTenantRow({ status: 'suspended' });
    change('a', { expiresAtMs: 1 });
    watch.look();
    expect(request.reason).to.equal(undefined);
    tenant = makeTenantRow({ status: 'closed' });
    generation += 1;
    watch.look();
    expect(request.reason?.code).to.equal('revoked');
  });

  it('lets a key run that has just been made until shared memory must hold it, and no longer', () => {
    const request = beginUnheld(500);
    watch.check(request);
    watch.look();
    nowMs = 499;
    watch.look();
    expect(request.reason).to.equal(undefined);
    nowMs = 500;
    watch.look();
    expect(request.reason?.code).to.equal('revoked');
  });

  it('looks no more once shared memory holds the key that has just been made', () => {
    const request = beginUnheld(500);
    watch.look();
    change('new', {});
    watch.look();
    const before = reads;
    nowMs = 500;
    watch.look();
    expect(reads).to.equal(before);
    expect(request.reason).to.equal(undefined);
  });

  it('does not take a key for gone because of a directory that is not believed', () => {
    const request = beginUnheld(500);
    watch.look();
    nowMs = LEASE_MS;
    watch.look();
    expect(request.reason).to.equal(undefined);
    trust = { deadlineMs: nowMs + LEASE_MS, runId: 'r' };
    watch.look();
    expect(request.reason?.code).to.equal('revoked');
  });

  it('ends what runs for a key, or a tenant, that a directory read anew holds no more', () => {
    const request = begin('a');
    watch.look();
    keys.clear();
    generation += 1;
    watch.look();
    expect(request.reason?.code).to.equal('revoked');
    const other = begin('b');
    holdsTenant = false;
    generation += 1;
    watch.look();
    expect(other.reason?.code).to.equal('revoked');
  });

  it('reads no row while nothing has changed', () => {
    begin('a');
    watch.look();
    const before = reads;
    watch.look();
    watch.look();
    expect(reads).to.equal(before);
  });

  it('finds a key revoked while its request was being admitted', () => {
    change('a', { status: 'revoked' });
    watch.look();
    const request = begin('a');
    watch.check(request);
    expect(request.reason?.code).to.equal('revoked');
    const other = begin('b');
    watch.check(other);
    expect(other.reason).to.equal(undefined);
  });

  it('ends what was admitted while the lease ended, without the grace: nothing of it is known', () => {
    const request = begin('a');
    nowMs = LEASE_MS - 1;
    watch.check(request);
    expect(request.reason).to.equal(undefined);
    nowMs += 1;
    watch.look();
    expect(request.reason, 'what runs has its grace').to.equal(undefined);
    watch.check(request);
    expect(request.reason?.code).to.equal('auth_unavailable');
    expect(request.reason?.details.retryAfterMs).to.equal(1_000);
    trust = undefined;
    const other = begin('b');
    watch.check(other);
    expect(other.reason?.code).to.equal('auth_unavailable');
  });

  it('ends everything once nothing was known for the grace, not before', () => {
    const request = begin('a');
    nowMs = LEASE_MS + GRACE_MS - 1;
    watch.look();
    expect(request.reason).to.equal(undefined);
    nowMs += 1;
    watch.look();
    expect(request.reason?.code).to.equal('auth_unavailable');
    trust = { deadlineMs: nowMs + LEASE_MS, runId: 'r' };
    const next = begin('b');
    watch.look();
    expect(next.reason).to.equal(undefined);
  });

  it('asks nothing of shared memory while nothing runs, and believes nothing without a lease', () => {
    trust = undefined;
    watch.look();
    expect(reads).to.equal(0);
    const request = begin('a');
    watch.look();
    expect(request.reason?.code).to.equal('auth_unavailable');
  });
});
