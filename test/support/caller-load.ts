import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../lib/time/clock.ts';
import { checkLedger } from './ledger-check.ts';
import { post } from './stack.ts';
import type { MadeKey, Stack } from './stack.ts';

/** One request and what became of it. */
export interface Asked {
  /** `request-id`: the admission id. */
  readonly id: string;
  readonly status: number;
  readonly text: string;
  /** What its last line told; 0 where nothing was generated. */
  readonly usedTokens: number;
  readonly headers: Headers;
  readonly tookMs: number;
}

/** Who asks for what. */
export interface Asking {
  readonly caller: MadeKey;
  readonly model?: string;
  readonly numPredict?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Load {
  /** Begins nothing more; resolves, when all has ended, with all that was asked. */
  stop(): Promise<readonly Asked[]>;
}

const AFTER_REFUSAL_MS = 20;
/** SPEC §10. */
const IN_FORCE_MS = 1_000;

/**
 * A caller whose key is proved without any store: it has been read into shared memory, and every
 * worker is likely to have seen it. A key made a moment ago is looked up, and proved by Redis.
 */
export async function makeKnownCaller(stack: Stack): Promise<MadeKey> {
  const caller = await stack.makeCaller();
  await wait(IN_FORCE_MS);
  const first = Array.from({ length: 8 }, () => askChat(stack, { caller }));
  for (const { status, text } of await Promise.all(first)) expect(status, text).to.equal(200);
  return caller;
}

/** Asks once, as a stream, and reads it to its end. */
export async function askChat(stack: Stack, asking: Asking): Promise<Asked> {
  const { caller, model = 'llama3', numPredict = 50, headers = {} } = asking;
  const startedMs = systemClock.monotonicMs();
  const body = {
    model,
    messages: [{ role: 'user', content: 'hello' }],
    options: { num_predict: numPredict },
  };
  const response = await post(`${stack.gateway.url}/api/chat`, caller.key, body, {
    headers: { authorization: `Bearer ${caller.key}`, ...headers },
  });
  const text = await response.text();
  return {
    id: response.headers.get('request-id') ?? '',
    status: response.status,
    text,
    usedTokens: response.status === 200 ? readUsed(text) : 0,
    headers: response.headers,
    tookMs: systemClock.monotonicMs() - startedMs,
  };
}

/** So many at a time, one after another. */
export function startLoad(ask: () => Promise<Asked>, parallel: number): Load {
  const asked: Asked[] = [];
  const stopped = new AbortController();
  const lane = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const one = await ask();
      asked.push(one);
      if (one.status !== 200) await wait(AFTER_REFUSAL_MS);
    }
  };
  const lanes = Promise.all(Array.from({ length: parallel }, lane));
  lanes.catch(() => undefined);
  return {
    async stop() {
      stopped.abort();
      await lanes;
      return asked;
    },
  };
}

/** That Redis could not be asked, and nothing else. */
export function expectUnavailable({ status, text, headers }: Asked): void {
  expect(status, text).to.equal(503);
  expect(text).to.include('Limits cannot be checked right now');
  expect(headers.get('retry-after')).to.equal('1');
}

/**
 * To end a round with: whoever got 200 has one row with what was generated, nobody else was admitted,
 * and audit rows, ledger and Redis tell the same.
 */
export async function expectSettled(stack: Stack, asked: readonly Asked[]): Promise<void> {
  const passed = asked.filter(({ status }) => status === 200);
  await checkLedger(stack, { admitted: passed.map(({ id }) => id) });
  const { rows } = await stack.database.query<{ id: string; outcome: string; charged: number }>(
    `select id, outcome, charged_tokens as charged from gateway.audit_log
     where id = any ($1) and outcome <> 'refused'`,
    [asked.map(({ id }) => id)],
  );
  const found = rows.map(({ id, outcome, charged }) => `${id} ${outcome} ${charged}`);
  const wanted = passed.map(({ id, usedTokens }) => `${id} ok ${usedTokens}`);
  expect(found.sort()).to.deep.equal(wanted.sort());
}

/** A stream that was cut off has no last line that says so. */
function readUsed(text: string): number {
  const line = text.trimEnd().split('\n').at(-1) ?? '';
  const last = JSON.parse(line) as Readonly<Record<string, unknown>>;
  expect(last['done'], line).to.equal(true);
  return Number(last['prompt_eval_count']) + Number(last['eval_count']);
}
