import { expect } from 'chai';
import { listShards, readLiveHolds } from '../../lib/inspection/live-holds.ts';
import type { Redis } from '../../lib/store/redis.ts';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { askChat, expectSettled, expectUnavailable, startLoad } from '../support/caller-load.ts';
import type { Asked } from '../support/caller-load.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { rounds } from '../support/rounds.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { connectRedis } from '../support/connect-redis.ts';
import { until } from '../support/until.ts';

const BUDGET = 1_000_000;
const LATE_MS = 250;
const ADMIT_TIMEOUT_MS = 1_000;

interface OwnBudget {
  readonly spent: number;
  readonly held: number;
  readonly left: number;
}

describe('e2e: Redis answers late', function () {
  this.timeout(60_000);
  let stack: Stack;
  let proxy: FaultProxy;
  let redis: Redis;
  let caller: MadeKey;
  const asked: Asked[] = [];

  before(async () => {
    stack = await startStack({
      through: async (urls) => {
        proxy = await startFaultProxy(urls.redisUrl);
        return { ...urls, redisUrl: proxy.url };
      },
    });
    redis = await connectRedis(stack.redis.url);
  });
  after(async () => {
    redis.disconnect();
    await stack.stop();
    await proxy.close();
  });

  async function makeBudgeted(): Promise<MadeKey> {
    const limits = { ...NO_LIMITS, budgetTokens: BUDGET, budgetPeriod: 'total' as const };
    return stack.makeKey(await stack.makeTenant(), { limits });
  }

  async function ask(who: MadeKey): Promise<Asked> {
    const one = await askChat(stack, { caller: who });
    asked.push(one);
    return one;
  }

  async function readBudget(): Promise<OwnBudget> {
    const response = await fetch(`${stack.gateway.url}/api/v1/key`, {
      headers: { authorization: `Bearer ${caller.key}` },
    });
    const { data } = (await response.json()) as { data: { key: { budget: OwnBudget } } };
    return data.key.budget;
  }

  async function countHolds(): Promise<number> {
    return (await readLiveHolds(redis, listShards(1))).holds.length;
  }

  for (const round of rounds({ ci: 1, full: 20 })) {
    describe(`seed ${round.seed}`, () => {
      it('by 250 ms: every request passes, and none is done twice', async () => {
        const [one, other] = await Promise.all([makeBudgeted(), makeBudgeted()]);
        const pick = (): MadeKey => (round.random() < 0.5 ? one : other);
        stack.ollama.always({ tokens: 5, paceMs: 40, promptTokens: 7 });
        const load = startLoad(() => ask(pick()), 6);
        const late = await slowDown();
        const all = await load.stop();
        proxy.delay(0);
        expect(new Set(all.map(({ status }) => status))).to.deep.equal(new Set([200]));
        expect(late).to.be.at.least(6);
        await expectSettled(stack, asked);
      });

      /** From a random moment on, until enough was asked. Gives how many of them met it. */
      async function slowDown(): Promise<number> {
        const before = asked.length + Math.floor(4 + round.random() * 12);
        await until(() => asked.length >= before, { withinMs: 10_000, what: 'some requests' });
        proxy.delay(LATE_MS);
        const first = asked.length;
        await until(() => asked.length >= first + 18, { withinMs: 20_000, what: 'late replies' });
        return asked.slice(first).filter(({ tookMs }) => tookMs >= LATE_MS).length;
      }

      it('an admission that arrives after its deadline is refused, and costs nothing', async () => {
        caller = await makeBudgeted();
        await ask(caller);
        const before = await settledBudget();
        const admit = await holdOwn('admit', 'before', async () => {
          expectUnavailable(await ask(caller));
        });
        // Whatever admitted it would be seen before this takes it back.
        const cancel = proxy.hold({ command: 'cancel', when: 'before' });
        admit.pass();
        const { pass } = await cancel;
        expect(await countHolds(), 'the deadline has passed').to.equal(0);
        pass();
        expect(await readBudget()).to.deep.equal(before);
        await expectSettled(stack, asked);
      });

      it('an admission whose reply does not come is taken back, and costs nothing', async () => {
        caller = await makeBudgeted();
        await ask(caller);
        const before = await settledBudget();
        const reply = await holdOwn('admit', 'after', async () => {
          const answer = ask(caller);
          await until(async () => (await countHolds()) === 1, {
            withinMs: ADMIT_TIMEOUT_MS,
            what: 'Redis to admit it',
          });
          expectUnavailable(await answer);
        });
        await until(async () => (await countHolds()) === 0, {
          withinMs: 2_000,
          what: 'it to be taken back',
        });
        reply.pass();
        expect(await readBudget()).to.deep.equal(before);
        expect((await ask(caller)).status).to.equal(200);
        await expectSettled(stack, asked);
      });

      async function settledBudget(): Promise<OwnBudget> {
        await until(async () => (await readBudget()).held === 0, {
          withinMs: 5_000,
          what: 'the first request to be settled',
        });
        return readBudget();
      }

      /** Resolves when the act is over, with the step still held. */
      async function holdOwn(
        command: string,
        when: 'before' | 'after',
        act: () => Promise<void>,
      ): Promise<{ readonly pass: () => void }> {
        const filter = (args: readonly string[]): boolean =>
          args.some((text) => text.includes(caller.keyId));
        const held = proxy.hold({ command, when, filter });
        await act();
        return held;
      }
    });
  }
});
