import { expect } from 'chai';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { invalidKey } from '../../../lib/errors/invalid-key.ts';
import { KEYS } from '../../../lib/ledger/keys.ts';
import { openRevokedMarkers } from '../../../lib/ledger/revoked-markers.ts';
import type { Cancellation } from '../../../lib/ledger/settle-request.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { flushAll } from '../../support/every-node.ts';
import { loadMovableScripts, moveTime } from '../../support/movable-time.ts';
import {
  askAdmit,
  makeId,
  openAdmit,
  openTestLedger,
  refusalOf,
} from '../../support/open-admit.ts';
import { readyShard } from '../../support/ready-shard.ts';
import {
  ADMISSION_ID,
  KEY_ID,
  sampleCall,
  sampleEntry,
  samplePrincipal,
  TENANT_ID,
} from '../../support/sample-request.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import type { OwnRedis } from '../../support/one-redis.ts';
import { startOwnRedis } from '../../support/test-redis.ts';

const NOW = 1_764_000_000_000;
const BUDGET = samplePrincipal({ key: { budgetTokens: 100, budgetPeriod: 'day' } });

describe('admission/admit', () => {
  let own: OwnRedis;
  let redis: Redis;

  before(async function () {
    this.timeout(30_000);
    own = await startOwnRedis({ appendOnly: false });
  });
  // A ledger listens to its connection for good, so each test has one.
  beforeEach(async () => {
    redis = await connectRedis(own.url);
    await flushAll(redis);
  });
  afterEach(() => {
    redis.disconnect();
  });
  after(() => own.remove());

  it('leases a request under Redis’s time, with all that must be settled', async () => {
    const scripts = loadMovableScripts();
    await moveTime(redis, KEYS.events(0), NOW);
    await readyShard(redis, 0, scripts);
    const principal = samplePrincipal({ key: { requestsPerMinute: 5 } });
    const admit = openAdmit(openTestLedger(redis, scripts));
    const { hold, ...lease } = await askAdmit(admit, { principal });
    expect(lease).to.deep.equal({
      admissionId: ADMISSION_ID,
      admittedAtMs: NOW,
      numPredict: 8_192,
      promptBoundTokens: 26,
      headers: [
        ...['x-ratelimit-limit-requests', '5', 'x-ratelimit-remaining-requests', '4'],
        ...['x-ratelimit-reset-requests', '1m1s'],
      ],
    });
    expect(hold).to.include({
      id: ADMISSION_ID,
      shard: 0,
      heldTokens: 8_218,
      countedTokens: 8_195,
    });
    expect(JSON.parse(hold.facts)).to.deep.equal({
      id: ADMISSION_ID,
      clientAddress: '192.0.2.0/24',
      clientRequestId: 'client-0001',
      dialect: 'native',
      endpoint: 'chat',
      streamed: true,
      model: 'llama3:latest',
    });
  });

  it('an embedding is granted no output, and holds its prompt alone', async () => {
    await readyShard(redis, 0);
    const call = sampleCall({ route: 'embed' });
    const lease = await askAdmit(openAdmit(openTestLedger(redis)), { call });
    expect(lease).to.include({ numPredict: null, promptBoundTokens: 52 });
    expect(lease.hold.heldTokens).to.equal(52);
  });

  it('bounds the prompt by the context that goes upstream', async () => {
    await readyShard(redis, 0);
    const seen: unknown[] = [];
    const chooseNumCtx = (...args: unknown[]): number => {
      seen.push(...args);
      return 5;
    };
    const call = sampleCall();
    const lease = await askAdmit(openAdmit(openTestLedger(redis), { chooseNumCtx }), { call });
    expect(lease.promptBoundTokens).to.equal(4);
    expect(seen[0]).to.equal(call);
  });

  it('lowers the output to what a budget leaves, and says so', async () => {
    const shard = await readyShard(redis, 0);
    const admit = openAdmit(openTestLedger(redis), {
      onFill: () => void shard.fillWanted(50),
    });
    const lease = await askAdmit(admit, { principal: BUDGET });
    expect(lease.numPredict).to.equal(24);
    expect(lease.headers.slice(0, 4)).to.deep.equal([
      ...['x-budget-limit-tokens', '100', 'x-budget-remaining-tokens', '0'],
    ]);
    const held = await refusalOf(admit, { principal: BUDGET, id: makeId(2) });
    expect(held).to.include({ code: 'budget_held' });
    expect(held.details.headers).to.include('x-budget-remaining-tokens');
  });

  it('refuses what is larger than a limit without asking Redis', async () => {
    const onAsk = (): void => expect.fail('Redis was asked');
    const principal = samplePrincipal({ tenant: { tokensPerMinute: 12 } });
    const refusal = await refusalOf(openAdmit(openTestLedger(redis), { onAsk }), { principal });
    expect(refusal.code).to.equal('request_too_large_for_limit');
  });

  it('asks again while a counter is not filled, and refuses when its time is over', async () => {
    await readyShard(redis, 0);
    const shards: number[] = [];
    let asked = 0;
    const admit = openAdmit(openTestLedger(redis), {
      timeoutMs: 400,
      onAsk: () => void (asked += 1),
      onFill: (shard) => void shards.push(shard),
    });
    expect((await refusalOf(admit, { principal: BUDGET })).code).to.equal('limiter_unavailable');
    expect(asked).to.be.within(2, 9);
    expect(shards).to.have.length(asked).and.to.include(0);
  });

  it('refuses a revoked key with the words of a wrong one', async () => {
    await readyShard(redis, 0);
    await openRevokedMarkers(redis, 1).markKey(TENANT_ID, KEY_ID, 60_000);
    const refusal = await refusalOf(openAdmit(openTestLedger(redis)));
    expect(refusal).to.include({ code: 'invalid_api_key', message: invalidKey().message });
  });

  it('refuses while too much waits for Postgres', async () => {
    await readyShard(redis, 0);
    const ledger = openTestLedger(redis);
    await ledger.note(sampleEntry());
    const refusal = await refusalOf(openAdmit(ledger, { maxWaitingEntries: 1 }));
    expect(refusal.code).to.equal('audit_backlog');
    expect(refusal.details.retryAfterMs).to.equal(1_000);
  });

  it('refuses while its own settlements wait for Redis', async () => {
    const admit = openAdmit(openTestLedger(redis), { isDenying: () => true });
    expect((await refusalOf(admit)).code).to.equal('limiter_unavailable');
  });

  it('refuses in a life that is not ready', async () => {
    const refusal = await refusalOf(openAdmit(openTestLedger(redis)));
    expect(refusal.code).to.equal('limiter_unavailable');
    expect(refusal.details.retryAfterMs).to.equal(1_000);
  });

  it('refuses what reached Redis after its deadline', async () => {
    const scripts = loadMovableScripts();
    await readyShard(redis, 0, scripts);
    const admit = openAdmit(openTestLedger(redis, scripts));
    await askAdmit(admit);
    await moveTime(redis, KEYS.events(0), systemClock.wallMs() + 3_600_000);
    expect((await refusalOf(admit)).code).to.equal('limiter_unavailable');
  });

  it('takes back what a stopped Redis may still do, and after three time-outs does not ask', async () => {
    await readyShard(redis, 0);
    const cancelled: Cancellation[] = [];
    const ledger = openTestLedger(redis);
    // The first one reads the time and brings the scripts, which may take longer.
    await askAdmit(openAdmit(ledger));
    const admit = openAdmit(ledger, {
      timeoutMs: 100,
      cancel: (cancellation) => void cancelled.push(cancellation),
    });
    own.signal('SIGSTOP');
    try {
      for (let count = 0; count < 3; count += 1) {
        const refusal = await refusalOf(admit, { id: makeId(count) });
        expect(refusal.code).to.equal('limiter_unavailable');
      }
      expect(cancelled.map(({ id }) => id)).to.deep.equal([0, 1, 2].map(makeId));
      const beforeMs = systemClock.monotonicMs();
      expect((await refusalOf(admit)).code).to.equal('limiter_unavailable');
      expect(systemClock.monotonicMs() - beforeMs).to.be.below(90);
    } finally {
      own.signal('SIGCONT');
    }
  });

  it('refuses at once while Redis is away, with nothing to take back', async () => {
    const cancel = (): void => expect.fail('nothing was sent');
    const admit = openAdmit(openTestLedger(redis), { cancel });
    redis.disconnect();
    expect((await refusalOf(admit)).code).to.equal('limiter_unavailable');
  });

  it('takes a bug for no answer of Redis', async () => {
    const admit = openAdmit({
      shardOf: () => 0,
      admit: () => Promise.reject(new TypeError('a bug')),
    });
    const outcome = await askAdmit(admit).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(TypeError).and.not.instanceOf(GatewayError);
  });
});
