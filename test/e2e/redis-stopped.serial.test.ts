import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../lib/time/clock.ts';
import {
  askChat,
  expectSettled,
  expectUnavailable,
  makeKnownCaller,
} from '../support/caller-load.ts';
import type { Asked } from '../support/caller-load.ts';
import { LONG_PROOF } from '../support/life-settings.ts';
import { rounds } from '../support/rounds.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const ADMIT_TIMEOUT_MS = 1_000;
const PAUSE_MS = 1_000;
const AT_ONCE_MS = 250;
const SLACK_MS = 600;

/** Stopped by SIGSTOP it takes connections and commands, and carries them out when it goes on. */
describe('e2e: Redis is stopped for seconds', function () {
  this.timeout(60_000);
  let stack: Stack;
  let caller: MadeKey;
  const asked: Asked[] = [];

  before(async () => {
    // One worker: time-outs in a row are counted by each for itself.
    stack = await startStack({
      workers: 1,
      env: LONG_PROOF,
      ollama: { byModel: { 'qwen3:8b': { tokens: 80, paceMs: 50, promptTokens: 7 } } },
    });
    caller = await makeKnownCaller(stack);
  });
  after(async () => {
    stack.redis.signal('SIGCONT');
    await stack.stop();
  });

  async function ask(who: MadeKey, model = 'llama3'): Promise<Asked> {
    const one = await askChat(stack, { caller: who, model, numPredict: 100 });
    asked.push(one);
    return one;
  }

  for (const round of rounds({ ci: 1, full: 20 })) {
    describe(`seed ${round.seed}`, () => {
      it('new requests are 503 after a second each, then at once; streams go on, and all is settled', async () => {
        expect((await ask(caller)).status).to.equal(200);
        const seen = stack.ollama.inferences.length;
        const streams = Array.from({ length: 4 }, () => ask(caller, 'qwen3:8b'));
        await stack.ollama.received(seen + streams.length);
        const newcomer = await stack.makeCaller();
        await wait(Math.floor(round.random() * 300));

        stack.redis.signal('SIGSTOP');
        const stoppedAtMs = systemClock.monotonicMs();
        try {
          await meetTimeouts();
          await meetNewKey(newcomer);
          // Long enough at times that the connections are given up.
          const forMs = (round.index % 4 === 3 ? 8_000 : 2_500) + round.random() * 1_500;
          await wait(Math.max(0, stoppedAtMs + forMs - systemClock.monotonicMs()));
        } finally {
          stack.redis.signal('SIGCONT');
        }

        const ended = await Promise.all(streams);
        expect(ended.map(({ status }) => status)).to.deep.equal(streams.map(() => 200));
        await until(async () => (await ask(newcomer)).status === 200, {
          withinMs: 5_000,
          what: 'requests to pass again',
        });
        await expectSettled(stack, asked);
      });

      async function meetTimeouts(): Promise<void> {
        const three = await Promise.all(Array.from({ length: 3 }, () => ask(caller)));
        const untilMs = systemClock.monotonicMs() + PAUSE_MS;
        for (const one of three) {
          expectUnavailable(one);
          expect(one.tookMs).to.be.within(ADMIT_TIMEOUT_MS - 50, ADMIT_TIMEOUT_MS + SLACK_MS);
        }
        while (systemClock.monotonicMs() < untilMs - AT_ONCE_MS) {
          const atOnce = await ask(caller);
          expectUnavailable(atOnce);
          expect(atOnce.tookMs, 'while the limiter rests').to.be.below(AT_ONCE_MS);
          await wait(50);
        }
      }

      /** Its proof asks Redis before any limit is. */
      async function meetNewKey(newcomer: MadeKey): Promise<void> {
        const { status, tookMs, text } = await ask(newcomer);
        expect(status, text).to.equal(503);
        expect(tookMs).to.be.below(2 * ADMIT_TIMEOUT_MS + SLACK_MS);
      }
    });
  }
});
