import { expect } from 'chai';
import { periodsAt } from '../../lib/ledger/counter.ts';
import type { CounterLook } from '../../lib/ledger/look-replies.ts';
import { openShardLook } from '../../lib/ledger/look.ts';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { rounds } from '../support/rounds.ts';
import type { Round } from '../support/rounds.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { connectRedis } from '../support/connect-redis.ts';
import { until } from '../support/until.ts';

const WORTH = 37;
const REQUESTS = 200;
const OUTPUT_TOKENS = 40;
const CHAT = {
  model: 'llama3',
  messages: [{ role: 'user', content: 'a race for the last tokens' }],
  options: { num_predict: OUTPUT_TOKENS },
};

const LEFT: Outcome = { status: 499, code: 'left' };

interface Watch {
  read(): Promise<CounterLook>;
  highest(): number;
  last(): CounterLook;
  stop(): Promise<void>;
}

interface Outcome {
  readonly status: number;
  readonly code: string;
}

/** A limit lets `WORTH` requests through while none has ended; the race is on many workers. */
describe('e2e: a budget under a race of workers', function () {
  this.timeout(60_000);
  let stack: Stack;
  let holdTokens = 0;

  before(async () => {
    stack = await startStack({ workers: 4 });
    holdTokens = await measureHold(stack);
  });
  after(() => stack.stop());

  for (const round of rounds({ ci: 10, full: 100 })) {
    it(`is never passed by ${REQUESTS} at once, and its rest can be spent (seed ${round.seed})`, async () => {
      const budget = WORTH * holdTokens;
      const limits = { ...NO_LIMITS, budgetTokens: budget, budgetPeriod: 'day' as const };
      const caller = await stack.makeKey(await stack.makeTenant(), { limits });
      const watch = await watchCounter(stack, caller);
      try {
        await race(stack, caller, round);
        await until(async () => (await watch.read()).liveTokens === 0, {
          withinMs: 10_000,
          what: 'every hold to be settled',
        });
        await spendRest(stack, caller);
      } finally {
        await watch.stop();
      }
      const { spentTokens, heldTokens } = watch.last();
      expect(heldTokens).to.equal(0);
      expect(watch.highest(), 'spent and held at every look').to.be.at.most(budget);
      expect(budget - spentTokens, 'no request would fit any more').to.be.at.most(
        holdTokens - OUTPUT_TOKENS,
      );
    });
  }

  it('leaves ledger, audit and Redis in agreement', () => checkLedger(stack));
});

/** What one such request holds: its bound is the gateway's to say. */
async function measureHold(stack: Stack): Promise<number> {
  const limits = { ...NO_LIMITS, budgetTokens: 1_000_000, budgetPeriod: 'total' as const };
  const caller = await stack.makeKey(await stack.makeTenant(), { limits });
  stack.ollama.next({ tokens: 1 });
  const response = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT);
  await response.text();
  return 1_000_000 - Number(response.headers.get('x-budget-remaining-tokens'));
}

async function race(stack: Stack, caller: MadeKey, round: Round): Promise<void> {
  stack.ollama.always({ tokens: OUTPUT_TOKENS, paceMs: 2, promptTokens: 30 });
  const seen = stack.ollama.inferences.length;
  const outcomes = await Promise.all(
    Array.from({ length: REQUESTS }, () => ask(stack, caller, round)),
  );
  expect(stack.ollama.inferences.length - seen, 'some pass').to.be.at.least(WORTH / 2);
  for (const { status, code } of outcomes) {
    if (status !== 200) expect(['budget_held', 'insufficient_quota', 'left']).to.include(code);
  }
}

/** Every third client leaves after a random while. */
async function ask(stack: Stack, caller: MadeKey, { random }: Round): Promise<Outcome> {
  const leaving = new AbortController();
  const timer =
    random() < 0.33
      ? setTimeout(
          () => {
            leaving.abort();
          },
          Math.floor(random() * 150),
        )
      : undefined;
  try {
    const response = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT, {
      headers: { authorization: `Bearer ${caller.key}` },
      signal: leaving.signal,
    });
    const text = await response.text();
    if (leaving.signal.aborted) return LEFT;
    return { status: response.status, code: response.ok ? '' : nameRefusal(text) };
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
    return LEFT;
  } finally {
    clearTimeout(timer);
  }
}

/** The native dialect tells no code: the texts differ. */
function nameRefusal(text: string): string {
  if (text.includes('that running requests hold')) return 'budget_held';
  return text.includes("key's token budget of") ? 'insufficient_quota' : text;
}

/** One after the other, until the gateway says that the budget is spent. */
async function spendRest(stack: Stack, caller: MadeKey): Promise<void> {
  // Dear ones, so that few are enough.
  stack.ollama.always({ tokens: OUTPUT_TOKENS, promptTokens: 500 });
  for (let count = 0; count < 2_000; count += 1) {
    const response = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT);
    await response.text();
    if (response.headers.get('x-should-retry') === 'false') return;
    expect(response.status === 200 || response.status === 429).to.equal(true);
  }
  throw new Error('the budget was never spent');
}

/** Looks at the key's counter all the time, in one moment of Redis each. */
async function watchCounter(stack: Stack, caller: MadeKey): Promise<Watch> {
  const redis = await connectRedis(stack.redis.url);
  const look = openShardLook(redis, 0);
  const { day } = periodsAt(systemClock.wallMs());
  const counter = { scope: `k:${caller.keyId}`, period: day } as const;
  let highest = 0;
  let last: CounterLook | undefined;
  const stopped = new AbortController();
  const read = async (): Promise<CounterLook> => {
    const [now] = (await look.counters([counter])).counters;
    if (!now) throw new Error('Redis told nothing of the counter');
    last = now;
    if (!now.exists) return now;
    expect(now.heldTokens, 'held is what live holds add up to').to.equal(now.liveTokens);
    highest = Math.max(highest, now.spentTokens + now.heldTokens);
    return now;
  };
  const running = (async (): Promise<void> => {
    while (!stopped.signal.aborted) await read();
  })();
  running.catch(() => undefined);
  return {
    read,
    highest: () => highest,
    last: () => {
      if (!last) throw new Error('nothing was looked at');
      return last;
    },
    async stop() {
      stopped.abort();
      try {
        await running;
        await read();
      } finally {
        redis.disconnect();
      }
    },
  };
}
