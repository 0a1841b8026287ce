import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { listShards, readLiveHolds } from '../../lib/inspection/live-holds.ts';
import { KEYS } from '../../lib/ledger/keys.ts';
import type { Redis } from '../../lib/store/redis.ts';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { askChat, expectSettled, startLoad } from '../support/caller-load.ts';
import type { Asked } from '../support/caller-load.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { LIFE_TIMES } from '../support/life-settings.ts';
import { REDIS_LOSSES } from '../support/redis-losses.ts';
import type { RedisLoss } from '../support/redis-losses.ts';
import { rounds } from '../support/rounds.ts';
import type { Round } from '../support/rounds.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { connectRedis } from '../support/connect-redis.ts';
import { until } from '../support/until.ts';

const LONG = 'qwen3:8b';
const LONG_TOKENS = 100;
const LONG_PACE_MS = (LIFE_TIMES.readyAfterMs + 3_500) / LONG_TOKENS;
const SMALL_BUDGET = 600;
const STORE_ENTRIES = 'with entry as materialized';

/** What each of four callers is answered, asked at once. */
interface Turn {
  readonly known: Asked;
  readonly fresh: Asked;
  readonly spent: Asked;
  readonly tight: Asked;
}

interface Lost {
  /** Redis answers again. */
  readonly backAtMs: number;
  readonly streams: readonly Promise<Asked>[];
}

/** Whoever streams, holds or has spent when Redis loses what it knew of them. */
describe('e2e: Redis loses data', function () {
  this.timeout(90_000);
  let stack: Stack;
  let postgres: FaultProxy;
  let redis: Redis;
  let known: MadeKey;
  let spent: MadeKey;
  const asked: Asked[] = [];

  before(async () => {
    stack = await startStack({
      env: LIFE_TIMES.env,
      ollama: {
        always: { tokens: 5, paceMs: 10, promptTokens: 7 },
        byModel: { [LONG]: { tokens: LONG_TOKENS, paceMs: LONG_PACE_MS, promptTokens: 7 } },
      },
      through: async (urls) => {
        postgres = await startFaultProxy(urls.databaseUrl);
        return { ...urls, databaseUrl: postgres.url };
      },
    });
    redis = await connectRedis(stack.redis.url);
    known = await stack.makeCaller();
    spent = await makeSpent();
  });
  after(async () => {
    redis.disconnect();
    await stack.stop();
    await postgres.close();
  });

  async function ask(caller: MadeKey, model = 'llama3'): Promise<Asked> {
    const one = await askChat(stack, { caller, model, numPredict: LONG_TOKENS });
    asked.push(one);
    return one;
  }

  async function makeSpent(): Promise<MadeKey> {
    const limits = { ...NO_LIMITS, budgetTokens: SMALL_BUDGET, budgetPeriod: 'month' as const };
    const caller = await stack.makeKey(await stack.makeTenant(), { limits });
    await until(async () => isSpent(await ask(caller)), {
      withinMs: 5_000,
      what: 'a budget to be spent',
    });
    return caller;
  }

  /** Its two streams hold so much that nothing else has room beside them. */
  async function beginTight(): Promise<{ caller: MadeKey; streams: readonly Promise<Asked>[] }> {
    const boundTokens = await measureBound();
    const budgetTokens = 2 * (boundTokens + LONG_TOKENS) + Math.floor(boundTokens / 2);
    const limits = { ...NO_LIMITS, budgetTokens, budgetPeriod: 'total' as const };
    const caller = await stack.makeKey(await stack.makeTenant({ limits }));
    const seen = stack.ollama.inferences.length;
    const streams = [ask(caller, LONG), ask(caller, LONG)];
    await stack.ollama.received(seen + 2);
    return { caller, streams };
  }

  async function measureBound(): Promise<number> {
    const limits = { ...NO_LIMITS, budgetTokens: 1_000_000, budgetPeriod: 'total' as const };
    const caller = await stack.makeKey(await stack.makeTenant(), { limits });
    const { headers } = await ask(caller);
    return 1_000_000 - Number(headers.get('x-budget-remaining-tokens')) - LONG_TOKENS;
  }

  async function listHeld(): Promise<readonly string[]> {
    return (await readLiveHolds(redis, listShards(1))).holds.map(({ id }) => id);
  }

  for (const round of rounds({ ci: 1, full: 20 })) {
    for (const loss of REDIS_LOSSES) {
      it(`${loss.what}: nobody passes before all is known again, and nothing is lost (seed ${round.seed})`, async () => {
        const tight = await beginTight();
        const load = startLoad(() => ask(known), 4);
        const { backAtMs, streams } = await lose(loss, round).finally(() => load.stop());
        for (const { status } of await load.stop()) expect(status).to.be.oneOf([200, 503]);

        const fresh = await stack.makeCaller();
        const turns: Turn[] = [];
        await until(
          async () => {
            const turn = await takeTurn({ fresh, tight: tight.caller });
            turns.push(turn);
            return turn.known.status === 200 || wait(20, false);
          },
          { withinMs: LIFE_TIMES.readyWithinMs, what: 'requests to pass again' },
        );
        const tookMs = systemClock.monotonicMs() - backAtMs;
        expect(tookMs, 'its time to hear of all').to.be.at.least(LIFE_TIMES.readyAfterMs);
        const held = await listHeld();
        turns.push(await takeTurn({ fresh, tight: tight.caller }));
        expectTurns(turns);

        for (const { id, status } of await Promise.all([...tight.streams, ...streams])) {
          expect(status).to.equal(200);
          expect(held, 'streams that ran').to.include(id);
        }
        await expectSettled(stack, asked);
      });
    }
  }

  /**
   * What was settled in the last moments is in Redis alone: the drain stands still, and what it was
   * about to write is lost with its connection. Streams begin meanwhile.
   */
  async function lose(loss: RedisLoss, { random }: Round): Promise<Lost> {
    await wait(random() * 300);
    const drain = await postgres.hold({ command: STORE_ENTRIES, when: 'before' });
    try {
      await wait(random() * 300);
      await loss.prepare(stack.redis);
      const streams = [ask(known, LONG), ask(known, LONG)];
      await wait(150 + random() * 350);
      await until(() => redis.xlen(KEYS.events(0)), { withinMs: 2_000, what: 'settlements' });
      await loss.lose(stack.redis);
      return { backAtMs: systemClock.monotonicMs(), streams };
    } finally {
      drain.cut();
    }
  }

  async function takeTurn(others: { fresh: MadeKey; tight: MadeKey }): Promise<Turn> {
    const [ofKnown, ofFresh, ofSpent, ofTight] = await Promise.all([
      ask(known),
      ask(others.fresh),
      ask(spent),
      ask(others.tight),
    ]);
    return { known: ofKnown, fresh: ofFresh, spent: ofSpent, tight: ofTight };
  }

  /** The shard began to admit while the last but one was taken. */
  function expectTurns(turns: readonly Turn[]): void {
    for (const { known: one } of turns.slice(0, -2)) expect(one.status, one.text).to.equal(503);
    for (const { fresh } of turns.slice(0, -3)) expect(fresh.status, fresh.text).to.equal(503);
    for (const one of turns.flatMap((turn) => [turn.spent, turn.tight])) {
      expect(one.status, one.text).to.be.oneOf([429, 503]);
    }
    const last = turns.at(-1);
    expect(last?.known.status).to.equal(200);
    expect(last?.fresh.status).to.equal(200);
    expect(last && isSpent(last.spent), last?.spent.text).to.equal(true);
    expect(last?.tight.status, last?.tight.text).to.equal(429);
    expect(last?.tight.text).to.include('that running requests hold');
  }
});

function isSpent({ status, headers }: Asked): boolean {
  return status === 429 && headers.get('x-should-retry') === 'false';
}
