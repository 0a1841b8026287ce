import { expect } from 'chai';
import type { Dialect } from '../../lib/errors/error-body.ts';
import { REFUSALS } from '../../lib/errors/refusals.ts';
import type { Limits } from '../../lib/shared/records.ts';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import {
  CHAT,
  DIALECTS,
  makeBody,
  PAIRS,
  readRows,
  send,
  toCommon,
} from '../support/both-dialects.ts';
import type { Answer, Pair, Wish } from '../support/both-dialects.ts';
import type { Script } from '../support/fake-ollama.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { expectAuditedAlike, expectRefusedAlike } from '../support/refused-alike.ts';
import type { Refusal, Refused } from '../support/refused-alike.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const OTHER: Readonly<Record<Dialect, Dialect>> = { native: 'openai', openai: 'native' };
/** 60 tokens of a minute, by its size. */
const LONG = { text: 'x'.repeat(240) };
/** Of a budget of 800, with the model's own template held as well. */
const LEFT = 800 - 512 - LONG.text.length - '{{ .Prompt }}'.length;
const GENERATIONS = ['chat', 'generate'] as const;
const TOTAL = { budgetPeriod: 'total' } as const;

interface OwnLimits {
  readonly requests: { readonly used: number };
  readonly tokens: { readonly used: number };
  readonly budget: { readonly spent: number; readonly held: number };
}

describe('e2e: limits, budgets and audit are the same in both dialects', function () {
  this.timeout(30_000);
  let stack: Stack;
  const refused: Refused[] = [];
  const admitted: string[] = [];

  before(async () => {
    stack = await startStack({ env: { NZGW_BREAKER_FAILURES: '1', NZGW_BREAKER_SECONDS: '60' } });
  });
  after(() => stack.stop());

  async function makeLimited(limits: Partial<Limits>): Promise<MadeKey> {
    return stack.makeKey(await stack.makeTenant(), { limits: { ...NO_LIMITS, ...limits } });
  }

  async function ask(
    { key }: MadeKey,
    [pair, dialect]: readonly [Pair, Dialect],
    wish: Wish = {},
  ): Promise<Answer> {
    const url = `${stack.gateway.url}${pair.paths[dialect]}`;
    const answer = await send({ url, key, body: JSON.stringify(makeBody(pair, dialect, wish)) });
    if (answer.status === 200) admitted.push(answer.id);
    return answer;
  }

  /** Begins a chat that goes on until it is ended; its first token has come. */
  async function begin(
    { key }: MadeKey,
    dialect: Dialect,
    wish: Wish = {},
  ): Promise<{ readonly id: string; readonly end: () => void }> {
    const leaving = new AbortController();
    stack.ollama.next({ tokens: 50, stallAfterLines: 1 });
    const response = await post(
      `${stack.gateway.url}${CHAT.paths[dialect]}`,
      key,
      makeBody(CHAT, dialect, wish),
      { headers: { authorization: `Bearer ${key}` }, signal: leaving.signal },
    );
    const id = response.headers.get('request-id') ?? '';
    expect(response.status, id).to.equal(200);
    admitted.push(id);
    const end = (): void => {
      leaving.abort();
    };
    return { id, end };
  }

  const limited =
    (limits: Partial<Limits>, wish: Wish = {}): Refusal['ask'] =>
    async (...at) =>
      ask(await makeLimited(limits), at, wish);

  /** Refused for what the same key has used in the other dialect, and was settled. */
  const afterOther =
    (limits: Partial<Limits>, script: Script, wishes: readonly [Wish, Wish]): Refusal['ask'] =>
    async (pair, dialect) => {
      const caller = await makeLimited(limits);
      stack.ollama.next(script);
      const before = await ask(caller, [CHAT, OTHER[dialect]], wishes[0]);
      expect(before.status, before.text).to.equal(200);
      await readRows(stack, [before.id]);
      return ask(caller, [pair, dialect], wishes[1]);
    };

  /** Refused for what runs for the same key in the other dialect. */
  const beside =
    (limits: Partial<Limits>, running: Wish = {}): Refusal['ask'] =>
    async (pair, dialect) => {
      const caller = await makeLimited(limits);
      const { id, end } = await begin(caller, OTHER[dialect], running);
      const answer = await ask(caller, [pair, dialect]);
      end();
      await readRows(stack, [id]);
      return answer;
    };

  const tooLarge = (
    what: string,
    limits: Partial<Limits>,
    more: Partial<Refusal> = {},
  ): Refusal => ({
    what,
    code: 'request_too_large_for_limit',
    at: 'admission',
    ask: limited(limits, LONG),
    ...more,
  });

  const spent: Script = { tokens: 2, promptTokens: 500, evalTokens: 400 };
  const REFUSED: readonly Refusal[] = [
    {
      what: 'requests a minute',
      code: 'rate_limit_exceeded',
      at: 'admission',
      before: 1,
      tells: {
        'x-ratelimit-limit-requests': '1',
        'x-ratelimit-remaining-requests': '0',
      },
      ask: afterOther({ requestsPerMinute: 1 }, {}, [{}, {}]),
    },
    {
      what: 'tokens a minute',
      code: 'rate_limit_exceeded',
      at: 'admission',
      before: 1,
      tells: { 'x-ratelimit-limit-tokens': '200', 'x-ratelimit-remaining-tokens': '53' },
      ask: afterOther({ tokensPerMinute: 200 }, { tokens: 2, promptTokens: 7, evalTokens: 140 }, [
        { maxTokens: 150 },
        { ...LONG, maxTokens: 100 },
      ]),
    },
    {
      what: 'concurrent requests',
      code: 'rate_limit_exceeded',
      at: 'admission',
      before: 1,
      ask: beside({ concurrency: 1 }),
    },
    {
      what: 'a budget that another request holds',
      code: 'budget_held',
      at: 'admission',
      before: 1,
      tells: { 'x-budget-limit-tokens': '5000' },
      ask: beside({ budgetTokens: 5_000, ...TOTAL }, { maxTokens: 4_300 }),
    },
    {
      what: 'a budget that is spent',
      code: 'insufficient_quota',
      at: 'admission',
      before: 1,
      final: true,
      tells: { 'x-should-retry': 'false', 'x-budget-remaining-tokens': '300' },
      ask: afterOther({ budgetTokens: 1_200, ...TOTAL }, spent, [{ maxTokens: 400 }, {}]),
    },
    {
      what: 'a budget that is spent for this month',
      code: 'insufficient_quota',
      at: 'admission',
      before: 1,
      tells: { 'x-should-retry': 'false', 'x-budget-remaining-tokens': '300' },
      ask: afterOther({ budgetTokens: 1_200, budgetPeriod: 'month' }, spent, [
        { maxTokens: 400 },
        {},
      ]),
    },
    tooLarge('more than all tokens of a minute', { tokensPerMinute: 59 }),
    tooLarge('more than a whole budget', { budgetTokens: 500, ...TOTAL }),
    tooLarge('no request a minute', { requestsPerMinute: 0 }),
    tooLarge('no token a minute', { tokensPerMinute: 0 }),
    tooLarge('no concurrent request', { concurrency: 0 }),
    tooLarge('no budget', { budgetTokens: 0, ...TOTAL }),
    tooLarge('no output', { maxOutputTokens: 0 }, { endpoints: GENERATIONS }),
  ];
  for (const refusal of REFUSED) {
    it(`refused for ${refusal.what}: ${REFUSALS[refusal.code]} ${refusal.code}`, async () => {
      refused.push(...(await expectRefusedAlike(stack, refusal)));
    });
  }

  /** A chat counts a role and a message beside its text. */
  const lowered: readonly (readonly [string, Partial<Limits>, Wish, Record<string, number>])[] = [
    ['what is asked', {}, { maxTokens: 70 }, { chat: 70, generate: 70 }],
    ['the default where nothing is', {}, { maxTokens: null }, { chat: 8_192, generate: 8_192 }],
    ['the default where "none" is', {}, { maxTokens: 0 }, { chat: 8_192, generate: 8_192 }],
    ['the output limit', { maxOutputTokens: 5 }, {}, { chat: 5, generate: 5 }],
    [
      'what a minute has left',
      { tokensPerMinute: 150 },
      { ...LONG, maxTokens: 200 },
      { chat: 150 - 61, generate: 150 - 60 },
    ],
    [
      'what is left of a budget',
      { budgetTokens: 800, ...TOTAL },
      { ...LONG, maxTokens: 200 },
      { chat: LEFT - 4 - 8, generate: LEFT },
    ],
  ];
  for (const [what, limits, wish, tokens] of lowered) {
    it(`output is cut at ${what}, and the head tells it`, async () => {
      for (const pair of PAIRS.filter(({ endpoint }) => endpoint !== 'embed')) {
        for (const dialect of DIALECTS) {
          const answer = await ask(await makeLimited(limits), [pair, dialect], wish);
          expect(answer.status, answer.text).to.equal(200);
          const most = tokens[pair.endpoint] ?? 0;
          expect(answer.headers['x-nzgw-max-tokens'], dialect).to.equal(String(most));
          const sent = JSON.parse(stack.ollama.inferences.at(-1)?.body ?? '') as {
            readonly options: object;
          };
          expect(sent.options, dialect).to.include({ num_predict: most });
        }
      }
    });
  }

  it('what one key uses in both is counted as one', async () => {
    const caller = await makeLimited({
      requestsPerMinute: 100,
      tokensPerMinute: 1_000_000,
      budgetTokens: 1_000_000,
      ...TOTAL,
    });
    const ids: string[] = [];
    for (const [round, pair] of [...PAIRS, ...PAIRS].entries()) {
      for (const dialect of DIALECTS) {
        stack.ollama.next({ tokens: 3, promptTokens: 11 + round, evalTokens: 20 });
        const answer = await ask(caller, [pair, dialect], LONG);
        expect(answer.status, answer.text).to.equal(200);
        ids.push(answer.id);
      }
    }
    await readRows(stack, ids);
    const own = await fetch(`${stack.gateway.url}/api/v1/key`, {
      headers: { authorization: `Bearer ${caller.key}` },
    });
    const { data } = (await own.json()) as { readonly data: { readonly key: OwnLimits } };
    const used = 2 * (6 * 11 + (0 + 1 + 2 + 3 + 4 + 5) + 4 * 20);
    expect(data.key.requests.used).to.equal(12);
    expect(data.key.tokens.used).to.equal(used);
    expect(data.key.budget).to.include({ spent: used, held: 0 });
  });

  for (const pair of PAIRS) {
    it(`${pair.endpoint}: the row of an answer has its tokens, its bytes and its form`, async () => {
      const rows = [];
      for (const dialect of DIALECTS) {
        stack.ollama.next({ tokens: 4, promptTokens: 9 });
        const answer = await ask(await stack.makeCaller(), [pair, dialect]);
        const row = (await readRows(stack, [answer.id])).get(answer.id) ?? {};
        expect(row).to.include({ dialect, bytes_out: Buffer.byteLength(answer.text) });
        rows.push({ ...toCommon(row), bytes_out: null });
      }
      const [native, openai] = rows;
      const completion = pair.endpoint === 'embed' ? 0 : 4;
      expect(native).to.deep.equal(openai);
      expect(native).to.include({
        endpoint: pair.endpoint,
        model: pair.model,
        status: 200,
        outcome: 'ok',
        refusal_code: null,
        prompt_tokens: 9,
        completion_tokens: completion,
        charged_tokens: 9 + completion,
        count_source: 'reported',
        streamed: pair.streamed ?? false,
      });
    });
  }

  it('a client that leaves a stream pays for the tokens that came, as an estimate', async () => {
    const rows = [];
    for (const dialect of DIALECTS) {
      const caller = await stack.makeCaller();
      stack.ollama.next({ tokens: 50, stallAfterLines: 10 });
      const leaving = new AbortController();
      const response = await post(
        `${stack.gateway.url}${CHAT.paths[dialect]}`,
        caller.key,
        makeBody(CHAT, dialect),
        { headers: { authorization: `Bearer ${caller.key}` }, signal: leaving.signal },
      );
      let text = '';
      const reader = response.body?.getReader();
      while (!text.includes(' tok9')) {
        text += Buffer.from((await reader?.read())?.value ?? []).toString('utf8');
      }
      leaving.abort();
      const [row = {}] = await stack.readAudit(caller.keyId, 1);
      admitted.push(String(row['id']));
      rows.push({ ...toCommon(row), bytes_out: null });
    }
    expect(rows[0]).to.deep.equal(rows[1]);
    const prompt = Math.ceil('userhello'.length / 4) + 8;
    expect(rows[0]).to.include({
      outcome: 'client_gone',
      status: 200,
      prompt_tokens: prompt,
      completion_tokens: 10,
      charged_tokens: prompt + 10,
      count_source: 'estimated',
    });
  });

  for (const pair of PAIRS) {
    it(`${pair.endpoint}: one that leaves before the first token pays for the prompt`, async () => {
      const rows = [];
      for (const dialect of DIALECTS) {
        const caller = await stack.makeCaller();
        const seen = stack.ollama.inferences.length;
        stack.ollama.next({ stallAfterLines: 0 });
        const leaving = new AbortController();
        const left = post(
          `${stack.gateway.url}${pair.paths[dialect]}`,
          caller.key,
          makeBody(pair, dialect),
          { headers: { authorization: `Bearer ${caller.key}` }, signal: leaving.signal },
        ).catch(() => null);
        await stack.ollama.received(seen + 1);
        leaving.abort();
        expect(await left).to.equal(null);
        const [row = {}] = await stack.readAudit(caller.keyId, 1);
        admitted.push(String(row['id']));
        rows.push(toCommon(row));
      }
      expect(rows[0]).to.deep.equal(rows[1]);
      expect(rows[0]).to.include({
        outcome: 'client_gone',
        completion_tokens: 0,
        count_source: 'estimated',
        bytes_out: 0,
      });
      expect(rows[0]?.['prompt_tokens']).to.be.above(0);
    });
  }

  it('an upstream that fails in the middle of a stream is told in each, and charged alike', async () => {
    const rows = [];
    for (const dialect of DIALECTS) {
      stack.ollama.next({ tokens: 9, errorAfterLines: 3, errorText: 'a secret of theirs' });
      const answer = await ask(await stack.makeCaller(), [CHAT, dialect]);
      expect(answer.text).to.include('"error"').and.not.include('secret');
      expect(answer.text).to.not.include('[DONE]').and.not.include('"done":true');
      const row = (await readRows(stack, [answer.id])).get(answer.id) ?? {};
      rows.push({ ...toCommon(row), bytes_out: null });
    }
    expect(rows[0]).to.deep.equal(rows[1]);
    expect(rows[0]).to.include({ outcome: 'upstream_error', status: 200, completion_tokens: 3 });
  });

  it('an upstream that is left alone for a while: 503 upstream_unavailable', async () => {
    await stack.ollama.close();
    // Each worker finds out for itself, by a request that fails.
    const asking: Refusal['ask'] = (...at) =>
      until(
        async () => {
          const answer = await limited({ requestsPerMinute: 9 })(...at);
          return answer.status === 503 && answer;
        },
        { withinMs: 10_000, what: 'the worker to leave it alone' },
      );
    const tells = { 'x-ratelimit-remaining-requests': '8' };
    const resting = { what: 'rest', code: 'upstream_unavailable', at: 'admission', tells } as const;
    const told = await expectRefusedAlike(stack, { ...resting, ask: asking });
    for (const { answers } of told) expect(answers.native.text).to.include('left alone');
    refused.push(...told);
  });

  it('in the audit refusals differ in the dialect alone', () => expectAuditedAlike(stack, refused));

  it('and ledger, audit and Redis agree', async () => {
    await checkLedger(stack, { admitted });
  });
});
