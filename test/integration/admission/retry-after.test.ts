import { expect } from 'chai';
import type { Admit } from '../../../lib/admission/admit.ts';
import type { Principal } from '../../../lib/auth/principal.ts';
import type { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { KEYS } from '../../../lib/ledger/keys.ts';
import type { Ledger } from '../../../lib/ledger/ledger.ts';
import type { Redis } from '../../../lib/store/redis.ts';
import type { Limits } from '../../../lib/shared/records.ts';
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
import type { ReadyShard } from '../../support/ready-shard.ts';
import { sampleCall, sampleEntry, samplePrincipal } from '../../support/sample-request.ts';
import { connectRedis } from '../../support/connect-redis.ts';
import { startTestRedis } from '../../support/test-redis.ts';

const START = Date.UTC(2026, 10, 24, 17, 12, 3, 450);
const CALL = sampleCall({ options: { num_predict: 10 } });

const LIMITS: Readonly<Record<string, Partial<Limits>>> = {
  'requests of a minute': { requestsPerMinute: 3 },
  'tokens of a minute': { tokensPerMinute: 40 },
  'a budget of the day': { budgetTokens: 110, budgetPeriod: 'day' },
  'a budget of the month': { budgetTokens: 110, budgetPeriod: 'month' },
};

/** Promise 12 of SPEC §1: who waits as long as it was told passes, and nobody sooner. */
describe('admission: waiting exactly as long as a refusal says', () => {
  let redis: Redis;
  let admit: Admit;
  let ledger: Ledger;
  let shard: ReadyShard;
  let number = 0;
  let nowMs = START;

  before(async () => {
    redis = await connectRedis((await startTestRedis()).url);
  });
  after(() => {
    redis.disconnect();
  });
  beforeEach(async () => {
    await flushAll(redis);
    const scripts = loadMovableScripts();
    await moveTime(redis, KEYS.life(0), START);
    nowMs = START;
    shard = await readyShard(redis, 0, scripts);
    ledger = openTestLedger(redis, scripts);
    admit = openAdmit(ledger, { onFill: () => void shard.fillWanted() });
  });

  const moveTo = async (ms: number): Promise<void> => {
    nowMs = ms;
    await moveTime(redis, KEYS.life(0), ms);
    // Else the first admission after a leap would come after its deadline.
    await ledger.renew(0, [], 1_000);
  };
  const ask = (principal: Principal): ReturnType<Admit> =>
    askAdmit(admit, { principal, call: CALL, id: makeId((number += 1)) });
  const refuse = (principal: Principal): Promise<GatewayError> =>
    refusalOf(admit, { principal, call: CALL, id: makeId((number += 1)) });

  /** Uses a limit up in steps of 7.3 s, each request settled whole, until one is refused. */
  async function useUp(principal: Principal): Promise<GatewayError> {
    for (let count = 0; count < 10; count += 1) {
      const lease = await ask(principal).catch(() => undefined);
      if (lease === undefined) return refuse(principal);
      await settleWhole(ledger, lease);
      await moveTo(nowMs + 7_300);
    }
    throw new Error('it was never refused');
  }

  for (const [name, limits] of Object.entries(LIMITS)) {
    for (const level of ['key', 'tenant'] as const) {
      it(`${name}, of the ${level}`, async () => {
        const principal = samplePrincipal({ [level]: limits });
        const refusal = await useUp(principal);
        const waitMs = Number(refusal.details.retryAfterMs);
        expect(waitMs).to.be.above(1_000);
        const refusedAtMs = nowMs;
        await moveTo(refusedAtMs + waitMs - 1);
        expect((await refuse(principal)).details.retryAfterMs, 'one millisecond early').to.equal(1);
        await moveTo(refusedAtMs + waitMs);
        expect(await ask(principal)).to.have.property('numPredict', 10);
      });
    }
  }
});

/** Charged with all that it was granted, so that nothing comes back. */
async function settleWhole(ledger: Ledger, { hold }: Awaited<ReturnType<Admit>>): Promise<void> {
  const { id, keyId, tenantId, admittedAtMs, heldTokens } = hold;
  await ledger.settle(
    sampleEntry({ id, keyId, tenantId, admittedAtMs, chargedTokens: heldTokens }),
  );
}
