import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { makeKey } from '../../lib/auth/key-format.ts';
import type { Redis } from '../../lib/store/redis.ts';
import {
  askChat,
  expectSettled,
  expectUnavailable,
  makeKnownCaller,
  startLoad,
} from '../support/caller-load.ts';
import type { Asked } from '../support/caller-load.ts';
import { completeKey } from '../support/complete-key.ts';
import { LIFE_TIMES, LONG_PROOF } from '../support/life-settings.ts';
import { rounds } from '../support/rounds.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { connectRedis } from '../support/connect-redis.ts';
import { until } from '../support/until.ts';

const LONG = 'qwen3:8b';
const ROUNDS = rounds({ ci: 1, full: 20 });

describe('e2e: Redis refuses', function () {
  this.timeout(60_000);
  let stack: Stack;
  let redis: Redis;
  let known: MadeKey;
  const asked: Asked[] = [];

  before(async () => {
    stack = await startStack({
      env: { ...LIFE_TIMES.env, ...LONG_PROOF },
      ollama: {
        always: { tokens: 5, paceMs: 5, promptTokens: 7 },
        byModel: { [LONG]: { tokens: 40, paceMs: 25, promptTokens: 7 } },
      },
    });
    redis = await connectRedis(stack.redis.url);
    known = await makeKnownCaller(stack);
  });
  after(async () => {
    redis.disconnect();
    await stack.stop();
  });

  async function ask(caller: MadeKey, model = 'llama3'): Promise<Asked> {
    const one = await askChat(stack, { caller, model });
    asked.push(one);
    return one;
  }

  async function beginStreams(): Promise<readonly Promise<Asked>[]> {
    const seen = stack.ollama.inferences.length;
    const streams = Array.from({ length: 4 }, () => ask(known, LONG));
    await stack.ollama.received(seen + streams.length);
    return streams;
  }

  describe('scripts that it has forgotten', () => {
    for (const { seed, random } of ROUNDS) {
      it(`nobody notices: each is sent again whole (seed ${seed})`, async () => {
        const load = startLoad(async () => ask(known), 6);
        for (let count = 0; count < 10; count += 1) {
          await wait(random() * 80);
          await redis.script('FLUSH');
        }
        expect(new Set((await load.stop()).map(({ status }) => status))).to.deep.equal(
          new Set([200]),
        );
        await expectSettled(stack, asked);
      });
    }
  });

  describe('at its memory limit', () => {
    for (const { seed, random } of ROUNDS) {
      it(`admits nobody, and takes every settlement all the same (seed ${seed})`, async () => {
        const newcomer = await stack.makeCaller();
        const streams = await beginStreams();
        await wait(random() * 500);
        await redis.config('SET', 'maxmemory', '1mb');
        try {
          expect(await refusalOf(redis.set('anything', 'at all'))).to.include('OOM');
          for (let count = 0; count < 5; count += 1) expectUnavailable(await ask(known));
          // Its proof could not be kept either.
          expect((await ask(newcomer)).status).to.equal(503);
          const ended = await Promise.all(streams);
          expect(ended.map(({ status }) => status)).to.deep.equal(ended.map(() => 200));
          await expectSettled(stack, asked);
          expectUnavailable(await ask(known));
        } finally {
          await redis.config('SET', 'maxmemory', '0');
        }
        expect((await ask(newcomer)).status).to.equal(200);
        await expectSettled(stack, asked);
      });
    }
  });

  describe('connections, being away', () => {
    for (const { seed, random } of ROUNDS) {
      it(`every caller is told 503, whoever it says it is, and streams go on (seed ${seed})`, async () => {
        const newcomer = await stack.makeCaller();
        const streams = await beginStreams();
        await wait(random() * 300);
        stack.redis.signal('SIGKILL');
        await wait(random() * 20);
        const wrong = completeKey(known.publicId, makeKey().key);
        for (let count = 0; count < 10; count += 1) {
          expectUnavailable(await ask(known));
          for (const key of [newcomer.key, wrong, makeKey().key]) {
            const { status, text } = await ask({ ...known, key });
            expect(status, text).to.equal(503);
          }
        }
        const ended = await Promise.all(streams);
        expect(ended.map(({ status }) => status)).to.deep.equal(ended.map(() => 200));
        expect((await fetch(`${stack.gateway.url}/readyz`)).status).to.equal(503);

        await stack.redis.restart();
        await until(async () => (await ask(newcomer)).status === 200, {
          withinMs: LIFE_TIMES.readyWithinMs,
          what: 'requests to pass again',
        });
        await expectSettled(stack, asked);
      });
    }
  });
});

async function refusalOf(asking: Promise<unknown>): Promise<string> {
  return asking.then(
    () => 'it was taken',
    (error: unknown) => String(error),
  );
}
