import { expect } from 'chai';
import { makeKey } from '../../lib/auth/key-format.ts';
import type { Dialect } from '../../lib/errors/error-body.ts';
import { REFUSALS } from '../../lib/errors/refusals.ts';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { CHAT, makeBody, readRows, send } from '../support/both-dialects.ts';
import type { Answer, Pair, Sent, Wish } from '../support/both-dialects.ts';
import type { Script } from '../support/fake-ollama.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { expectAuditedAlike, expectRefusedAlike, listIds } from '../support/refused-alike.ts';
import type { Refusal, Refused } from '../support/refused-alike.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const MAX_BODY_BYTES = 65_536;
/** Failures of one address; each wrong key has one of its own. */
const MAX_FAILURES = 3;
const OTHER: Readonly<Record<Dialect, Dialect>> = { native: 'openai', openai: 'native' };
const SECRET = 'a secret of theirs';
/** Of what both-dialects-limits runs through both, and of what only a broken store or a stop brings. */
const ELSEWHERE = [
  ...['rate_limit_exceeded', 'budget_held', 'insufficient_quota', 'request_too_large_for_limit'],
  ...['limiter_unavailable', 'auth_unavailable', 'audit_backlog', 'overloaded', 'draining'],
  ...['revoked', 'internal_error'],
];

type Sending = (pair: Pair, dialect: Dialect) => Partial<Sent>;

describe('e2e: every refusal is the same in both dialects', function () {
  this.timeout(30_000);
  let stack: Stack;
  let caller: MadeKey;
  let expired: MadeKey;
  let closed: MadeKey;
  let suspended: MadeKey;
  let cut: MadeKey;
  let addresses = 0;
  const refused: Refused[] = [];

  before(async () => {
    stack = await startStack({
      env: {
        NZGW_MAX_BODY_BYTES: String(MAX_BODY_BYTES),
        NZGW_BODY_TIMEOUT_SECONDS: '1',
        NZGW_FIRST_BYTE_TIMEOUT_SECONDS: '1',
        NZGW_BREAKER_FAILURES: '1000',
        NZGW_AUTH_FAILURES_PER_MINUTE: '1',
        NZGW_AUTH_FAILURES_BURST: String(MAX_FAILURES),
      },
    });
    caller = await stack.makeCaller();
    expired = await stack.makeKey(caller.tenantId, { expiresAt: new Date(1) });
    closed = await stack.makeCaller();
    suspended = await stack.makeCaller();
    cut = await stack.makeKey(
      await stack.makeTenant({ allowAllModels: false, allowedModels: ['qwen3:8b'] }),
    );
    for (const [status, { tenantId }] of [
      ['closed', closed],
      ['suspended', suspended],
    ] as const) {
      await stack.database.query('update gateway.tenants set status = $1 where id = $2', [
        status,
        tenantId,
      ]);
    }
    // A change is in force within a second of its commit, not with it.
    await until(async () => (await askWith(() => suspended)(CHAT, 'native')).status === 403, {
      withinMs: 2_000,
      what: 'the suspension',
    });
  });
  after(() => stack.stop());

  /** Of a usual request what is said otherwise. */
  function ask(pair: Pair, dialect: Dialect, changed: Partial<Sent> = {}): Promise<Answer> {
    const body = JSON.stringify(makeBody(pair, dialect));
    const url = `${stack.gateway.url}${pair.paths[dialect]}`;
    return send({ url, key: caller.key, body, ...changed });
  }
  const askWith =
    (who: () => { readonly key: string | undefined }): Refusal['ask'] =>
    (pair, dialect) =>
      ask(pair, dialect, { key: who().key, headers: [fromNewAddress()] });
  const sending =
    (change: Sending): Refusal['ask'] =>
    (pair, dialect) =>
      ask(pair, dialect, change(pair, dialect));
  const wishing = (wish: (pair: Pair, dialect: Dialect) => Wish): Refusal['ask'] =>
    sending((pair, dialect) => ({
      body: JSON.stringify(makeBody(pair, dialect, wish(pair, dialect))),
    }));
  const adding = (more: object): Refusal['ask'] => wishing(() => ({ more }));
  const saying = (body: string | Uint8Array): Refusal['ask'] => sending(() => ({ body }));

  /** With limits far away: what is left of them is told of every failure. */
  const failing =
    (script: Script): Refusal['ask'] =>
    async (pair, dialect) => {
      const limits = { ...NO_LIMITS, requestsPerMinute: 9, tokensPerMinute: 9_000 };
      const { key } = await stack.makeKey(
        await stack.makeTenant({
          limits: { ...limits, budgetTokens: 90_000, budgetPeriod: 'total' },
        }),
        { limits },
      );
      stack.ollama.next(script);
      const answer = await ask(pair, dialect, { key });
      expect(answer.text).to.not.include(SECRET);
      expect(answer.headers).to.include.keys(
        'x-ratelimit-remaining-requests',
        'x-ratelimit-reset-tokens',
        'x-budget-remaining-tokens',
      );
      const most = pair.endpoint === 'embed' ? undefined : '50';
      expect(answer.headers['x-nzgw-max-tokens']).to.equal(most);
      return answer;
    };
  const wording = (error: string, status = 400): Refusal['ask'] =>
    failing({ status, body: JSON.stringify({ error }) });

  function fromNewAddress(): readonly [string, string] {
    addresses += 1;
    return ['x-forwarded-for', `198.18.${addresses >> 8}.${addresses & 255}`];
  }

  /** Counted together, whichever dialect the wrong keys came in. */
  async function failTooOften(pair: Pair, dialect: Dialect): Promise<Answer> {
    const headers = [fromNewAddress()];
    for (let i = 0; i < MAX_FAILURES; i += 1) {
      const wrong = { key: makeKey().key, headers };
      expect((await ask(pair, OTHER[dialect], wrong)).status).to.equal(401);
    }
    return ask(pair, dialect, { key: makeKey().key, headers });
  }

  const GENERATIONS = ['chat', 'generate'] as const;
  const wrongKey = (): string => `${caller.key.slice(0, 16)}${makeKey().key.slice(16)}`;

  const nobody = (what: string, asking: Refusal['ask']): Refusal => ({
    what,
    code: 'invalid_api_key',
    at: 'caller',
    ask: asking,
  });
  const fault = (what: string, asking: Refusal['ask'], more: Partial<Refusal> = {}): Refusal => ({
    what,
    code: 'invalid_request',
    at: 'request',
    ask: asking,
    ...more,
  });

  const REFUSED: readonly Refusal[] = [
    nobody(
      'no key',
      askWith(() => ({ key: undefined })),
    ),
    nobody(
      'a key with a wrong secret',
      askWith(() => ({ key: wrongKey() })),
    ),
    nobody('a key that nobody has', askWith(makeKey)),
    nobody(
      'an expired key',
      askWith(() => expired),
    ),
    nobody(
      'a key of a closed tenant',
      askWith(() => closed),
    ),
    {
      what: 'a key of a suspended tenant',
      code: 'tenant_suspended',
      at: 'request',
      ask: askWith(() => suspended),
    },
    {
      what: 'too many wrong keys from an address',
      code: 'too_many_failures',
      at: 'caller',
      ask: failTooOften,
    },
    {
      what: 'a model that the key may not use',
      code: 'model_not_allowed',
      at: 'request',
      param: 'model',
      ask: askWith(() => cut),
    },
    {
      what: 'a model that there is not',
      code: 'model_not_allowed',
      at: 'request',
      param: 'model',
      ask: wishing(() => ({ model: 'no-such-model' })),
    },
    fault('a body that is cut off', saying('{"model":"llama3"')),
    fault('a body that is a list', saying('[]')),
    fault('no body', saying('')),
    fault('a body that is no UTF-8', saying(Buffer.from('{"model":"llama3\xff"}', 'latin1'))),
    fault(
      'bytes behind the body',
      sending((pair, dialect) => ({ body: `${JSON.stringify(makeBody(pair, dialect))}{}` })),
    ),
    {
      what: 'a body that two readers would read as two models',
      code: 'ambiguous_json',
      at: 'request',
      param: 'model',
      ask: adding({ Model: 'qwen3:8b' }),
    },
    fault('no model', adding({ model: '' }), { param: 'model' }),
    fault('a flag that is a text', adding({ stream: 'yes' }), {
      param: 'stream',
      endpoints: GENERATIONS,
    }),
    fault('a number that is a text', adding({ dimensions: 'many' }), {
      param: 'dimensions',
      endpoints: ['embed'],
    }),
    fault(
      'an option of a wrong type',
      wishing((_pair, dialect) => ({
        more: dialect === 'native' ? { options: { temperature: 'hot' } } : { temperature: 'hot' },
      })),
      {
        param: 'temperature',
        words: ['options.temperature', 'temperature'],
        endpoints: GENERATIONS,
      },
    ),
    fault(
      'what is nested too deep',
      adding({ deep: JSON.parse('['.repeat(65) + ']'.repeat(65)) as unknown }),
      {},
    ),
    {
      what: 'a body that is too large',
      code: 'request_too_large',
      at: 'request',
      ask: saying('x'.repeat(MAX_BODY_BYTES + 1)),
    },
    {
      what: 'a body that is compressed',
      code: 'unsupported_encoding',
      at: 'request',
      ask: sending(() => ({ headers: [['content-encoding', 'gzip']] })),
    },
    {
      what: 'a body that does not come',
      code: 'request_timeout',
      at: 'request',
      ask: sending(() => ({ missingBytes: 1 })),
    },
    {
      what: 'a header that may stand there once',
      code: 'invalid_request',
      at: 'caller',
      ask: sending(() => ({
        headers: [
          ['content-type', 'application/json'],
          ['Content-Type', 'text/plain'],
        ],
      })),
    },
    {
      what: 'too many headers',
      code: 'headers_too_large',
      at: 'caller',
      ask: sending(() => ({ headers: Array.from({ length: 100 }, (_, i) => [`x-${i}`, '']) })),
    },
    {
      what: 'a route that there is not',
      code: 'not_found',
      at: 'request',
      route: 'unknown',
      words: [
        '/api/chat, /api/generate, /api/embed, /api/embeddings, /api/tags, /api/ps, /api/show, /api/version',
        '/v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models',
      ],
      ask: sending(({ paths }, dialect) => ({ url: `${stack.gateway.url}${paths[dialect]}/` })),
    },
    {
      what: 'an upstream that answers 500',
      code: 'upstream_error',
      at: 'upstream',
      ask: failing({ status: 500, body: SECRET }),
    },
    {
      what: 'an upstream that breaks the connection before the first token',
      code: 'upstream_error',
      at: 'upstream',
      ask: failing({ resetAfterLines: 0 }),
    },
    {
      what: 'an upstream whose first line is an error',
      code: 'upstream_error',
      at: 'upstream',
      endpoints: GENERATIONS,
      ask: failing({ errorAfterLines: 0, errorText: SECRET }),
    },
    {
      what: 'an upstream that does not answer in time',
      code: 'upstream_timeout',
      at: 'upstream',
      ask: failing({ stallAfterLines: 0 }),
    },
    {
      what: 'an upstream that is busy',
      code: 'upstream_unavailable',
      at: 'upstream',
      ask: wording(SECRET, 503),
    },
    {
      what: 'a model that is gone since it was listed',
      code: 'models_unavailable',
      at: 'upstream',
      tells: { 'x-ratelimit-limit-requests': '9' },
      ask: wording(`model '${SECRET}' not found`, 404),
    },
    {
      what: 'an input that is longer than the context',
      code: 'invalid_request',
      at: 'upstream',
      param: { chat: 'messages', generate: 'prompt', embed: 'input' },
      ask: wording(`the input length exceeds the context length: ${SECRET}`),
    },
    {
      what: 'a model that cannot think',
      code: 'invalid_request',
      at: 'upstream',
      param: 'reasoning_effort',
      words: ['`think`', '`reasoning_effort`'],
      endpoints: ['chat'],
      ask: wording(`"${SECRET}" does not support thinking`),
    },
    {
      what: 'an option that the upstream will not take',
      code: 'invalid_request',
      at: 'upstream',
      // OpenAI's embeddings have no such field.
      param: { chat: 'seed', generate: 'seed' },
      ask: wording(`option "seed" must be of type integer: ${SECRET}`),
    },
  ];

  for (const refusal of REFUSED) {
    it(`${refusal.what}: ${REFUSALS[refusal.code]} ${refusal.code}`, async () => {
      refused.push(...(await expectRefusedAlike(stack, refusal)));
    });
  }

  it('what may not be used and what there is not are told apart in neither', async () => {
    const texts = await Promise.all(
      (['native', 'openai'] as const).map(async (dialect) => {
        const asked = ['llama3', 'no-such-model'].map((model) => {
          const body = JSON.stringify(makeBody(CHAT, dialect, { model }));
          return ask(CHAT, dialect, { key: cut.key, body });
        });
        const [there, nowhere] = await Promise.all(asked);
        expect(there?.text).to.equal(nowhere?.text);
        return there?.text;
      }),
    );
    expect(new Set(texts).size).to.equal(2);
  });

  it('a blocked function has a path in the native dialect alone', async () => {
    const url = `${stack.gateway.url}/api/pull`;
    const blocked = await send({ url, key: caller.key, body: '{}' });
    expect(blocked.status).to.equal(403);
    expect(JSON.parse(blocked.text)).to.deep.equal({
      error: 'This endpoint is blocked by the gateway',
    });
    const rows = await readRows(stack, [blocked.id]);
    expect(rows.get(blocked.id)).to.include({
      dialect: 'native',
      endpoint: 'blocked',
      outcome: 'refused',
      refusal_code: 'endpoint_blocked',
    });
  });

  it('no code is missing here but what stands elsewhere', () => {
    const codes = new Set<string>([...REFUSED.map(({ code }) => code), 'endpoint_blocked']);
    const missing = Object.keys(REFUSALS).filter((code) => !codes.has(code));
    expect(missing.sort()).to.deep.equal([...ELSEWHERE].sort());
  });

  it('in the audit they differ in the dialect alone', () => expectAuditedAlike(stack, refused));

  it('and each that was admitted has its one row', async () => {
    const admitted = refused.filter(({ refusal }) => refusal.at === 'upstream');
    await checkLedger(stack, { admitted: listIds(admitted) });
  });
});
