import { expect } from 'chai';
import { makeAdmit } from '../../../lib/admission/admit.ts';
import type { Admit } from '../../../lib/admission/admit.ts';
import { makeLimiterPause } from '../../../lib/admission/limiter-pause.ts';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { invalidKey } from '../../../lib/errors/invalid-key.ts';
import { KEYS } from '../../../lib/ledger/keys.ts';
import { openLedger } from '../../../lib/ledger/ledger.ts';
import { openRevokedMarkers } from '../../../lib/ledger/revoked-markers.ts';
import type { Script } from '../../../lib/ledger/scripts.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { loadMovableScripts, moveTime } from '../../support/movable-time.ts';
import {
  ADMISSION_ID,
  KEY_ID,
  sampleCall,
  sampleEntry,
  samplePrincipal,
  SAMPLE_GRANT,
  TENANT_ID,
} from '../../support/sample-request.ts';
import { connectRedis, startOwnRedis } from '../../support/test-redis.ts';
import type { OwnRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

const NOW = 1_764_000_000_000;

describe('admission/admit', () => {
  let own: OwnRedis;
  let redis: Redis;
  let denying = false;

  before(async function () {
    this.timeout(30_000);
    own = await startOwnRedis({ appendOnly: false });
    redis = await connectRedis(own.url);
  });
  beforeEach(async () => {
    denying = false;
    await redis.flushall();
  });
  after(async () => {
    redis.disconnect();
    await own.remove();
  });

  const open = (scripts?: readonly Script[]): Admit => {
    const parts = { shards: 1, clock: systemClock };
    return makeAdmit({
      ledger: openLedger(redis, scripts ? { ...parts, scripts } : parts),
      pause: makeLimiterPause(() => systemClock.monotonicMs()),
      isDenying: () => denying,
      admitTimeoutMs: 100,
      auditStreamMax: 1,
      defaultMaxTokens: 8_192,
    });
  };
  const ask = (admit: Admit, call = sampleCall()): ReturnType<Admit> =>
    admit({ admissionId: ADMISSION_ID }, samplePrincipal(), call, SAMPLE_GRANT);
  const refusalOf = async (admit: Admit): Promise<GatewayError> => {
    const outcome = await ask(admit).catch((error: unknown) => error);
    if (outcome instanceof GatewayError) return outcome;
    throw new Error('it was not refused');
  };

  it('leases a request under Redis’s time', async () => {
    await moveTime(redis, KEYS.events(0), NOW);
    expect(await ask(open(loadMovableScripts()))).to.deep.equal({
      admissionId: ADMISSION_ID,
      admittedAtMs: NOW,
      numPredict: 8_192,
    });
    const embed = await ask(open(), sampleCall({ route: 'embed' }));
    expect(embed.numPredict).to.equal(null);
  });

  it('refuses a revoked key with the words of a wrong one', async () => {
    await openRevokedMarkers(redis, 1).markKey(TENANT_ID, KEY_ID, 60_000);
    const refusal = await refusalOf(open());
    expect(refusal).to.include({ code: 'invalid_api_key', message: invalidKey().message });
  });

  it('refuses while too much waits for Postgres', async () => {
    await openLedger(redis, { shards: 1, clock: systemClock }).settle(sampleEntry());
    const refusal = await refusalOf(open());
    expect(refusal.code).to.equal('audit_backlog');
    expect(refusal.details.retryAfterMs).to.equal(1_000);
  });

  it('refuses while its own settlements wait for Redis', async () => {
    denying = true;
    expect((await refusalOf(open())).code).to.equal('limiter_unavailable');
  });

  it('refuses what reached Redis after its deadline', async () => {
    const admit = open(loadMovableScripts());
    await ask(admit);
    await moveTime(redis, KEYS.events(0), systemClock.wallMs() + 3_600_000);
    const refusal = await refusalOf(admit);
    expect(refusal.code).to.equal('limiter_unavailable');
    expect(refusal.details.retryAfterMs).to.equal(1_000);
  });

  it('refuses while Redis is stopped, after three time-outs without asking', async () => {
    const admit = open();
    await ask(admit);
    process.kill(own.pid, 'SIGSTOP');
    try {
      for (let count = 0; count < 3; count += 1) {
        expect((await refusalOf(admit)).code).to.equal('limiter_unavailable');
      }
      const beforeMs = systemClock.monotonicMs();
      expect((await refusalOf(admit)).code).to.equal('limiter_unavailable');
      expect(systemClock.monotonicMs() - beforeMs).to.be.below(90);
    } finally {
      process.kill(own.pid, 'SIGCONT');
    }
  });

  it('refuses at once while Redis is away', async () => {
    const admit = open();
    redis.disconnect();
    expect((await refusalOf(admit)).code).to.equal('limiter_unavailable');
    await until(() => redis.status === 'end', { withinMs: 2_000, what: 'the connection to end' });
    await redis.connect();
  });
});
