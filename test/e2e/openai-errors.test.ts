import { expect } from 'chai';
import OpenAI from 'openai';
import type { APIError } from 'openai';
import { NO_LIMITS } from '../../lib/tenants/limit-columns.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import type { Script } from '../support/fake-script.ts';
import { until } from '../support/until.ts';

const CHAT = {
  model: 'llama3',
  messages: [{ role: 'user', content: 'hello' }],
  max_completion_tokens: 50,
} satisfies OpenAI.ChatCompletionCreateParamsNonStreaming;
const WINDOW_MS = 61_000;

interface Ended {
  readonly text: string;
  readonly finish: unknown;
  readonly error: APIError | undefined;
}

describe('e2e: what goes wrong is told to the OpenAI client as it understands it', function () {
  this.timeout(2 * WINDOW_MS);
  let stack: Stack;
  let caller: MadeKey;
  let client: OpenAI;
  /** Begins with the first test: it waits a minute, as its client must. */
  let waited: Promise<{ readonly statuses: readonly number[]; readonly text: string | null }>;

  before(async () => {
    stack = await startStack();
    caller = await stack.makeCaller();
    client = toClient(caller);
    const limited = await stack.makeKey(caller.tenantId, {
      limits: { ...NO_LIMITS, requestsPerMinute: 1 },
    });
    await toClient(limited).chat.completions.create(CHAT);
    waited = askAgain(limited);
  });
  after(() => stack.stop());

  function toClient(
    { key }: Pick<MadeKey, 'key'>,
    options: { readonly maxRetries?: number; readonly fetch?: typeof fetch } = {},
  ): OpenAI {
    return new OpenAI({
      baseURL: `${stack.gateway.url}/v1`,
      apiKey: key,
      maxRetries: 0,
      ...options,
    });
  }

  /** A client that retries by itself, with the status of every answer it got. */
  function toRetrying(made: MadeKey): { readonly client: OpenAI; readonly statuses: number[] } {
    const statuses: number[] = [];
    const counted: typeof fetch = async (...asked) => {
      const response = await fetch(...asked);
      statuses.push(response.status);
      return response;
    };
    return { client: toClient(made, { maxRetries: 2, fetch: counted }), statuses };
  }

  /** The client from npm waits as it is told, but for no minute and more. */
  async function askAgain(limited: MadeKey): Promise<Awaited<typeof waited>> {
    await until(
      async () => {
        const response = await post(`${stack.gateway.url}/v1/chat/completions`, limited.key, CHAT);
        await response.text();
        return Number(response.headers.get('retry-after-ms')) < 59_000;
      },
      { withinMs: 10_000, what: 'less than a minute to be left' },
    );
    const { client: retrying, statuses } = toRetrying(limited);
    const reply = await retrying.chat.completions.create(CHAT);
    return { statuses, text: reply.choices[0]?.message.content ?? null };
  }

  /** What a client saw of a stream, and how it ended for it. */
  async function stream(script: Script, asking = client): Promise<Ended> {
    stack.ollama.next(script);
    let text = '';
    let finish: unknown = null;
    try {
      for await (const { choices } of await asking.chat.completions.create({
        ...CHAT,
        stream: true,
      })) {
        text += choices[0]?.delta.content ?? '';
        finish = choices[0]?.finish_reason ?? finish;
      }
      return { text, finish, error: undefined };
    } catch (error) {
      return { text, finish, error: error as APIError };
    }
  }

  const refusal = (asked: Promise<unknown>): Promise<APIError> =>
    asked.then(
      () => {
        throw new Error('it was answered');
      },
      (error: unknown) => error as APIError,
    );

  const deaths: readonly [string, Script][] = [
    ['is reset', { tokens: 9, text: 'a', resetAfterLines: 3 }],
    ['is cut off', { tokens: 9, text: 'a', dropAfterLines: 3 }],
    ['tells an error', { tokens: 9, text: 'a', errorAfterLines: 3, errorText: 'secret of theirs' }],
    ['sends garbage', { tokens: 9, text: 'a', garbageAfterLines: 3 }],
    ['ends without a last line', { tokens: 9, text: 'a', endAfterLines: 3 }],
  ];
  for (const [what, script] of deaths) {
    it(`an upstream that ${what} in the middle throws, and never looks like an end`, async () => {
      const { text, finish, error } = await stream(script);
      // A connection that breaks may overtake what was sent on it before.
      const breaks = script.resetAfterLines ?? script.dropAfterLines;
      if (breaks === undefined) expect(text).to.equal('aaa');
      else expect('aaa'.startsWith(text)).to.equal(true);
      expect(finish).to.equal(null);
      expect(error).to.be.instanceOf(OpenAI.APIError);
      expect(error).to.include({ code: 'upstream_error', type: 'api_error' });
      expect(error?.message).to.not.include('secret');
      expect(error?.requestID).to.match(/^[0-9a-f-]{36}$/);
    });
  }

  it('before the first token it is a status, with the id', async () => {
    for (const script of [{ resetAfterLines: 0 }, { errorAfterLines: 0 }, { status: 500 }]) {
      stack.ollama.next(script);
      const error = await refusal(client.chat.completions.create({ ...CHAT, stream: true }));
      expect(error).to.be.instanceOf(OpenAI.InternalServerError);
      expect(error).to.include({ status: 502, code: 'upstream_error' });
      expect(error.requestID).to.match(/^[0-9a-f-]{36}$/);
    }
  });

  it('what the model has begun to answer is not asked again by the client itself', async () => {
    const { client: retrying, statuses } = toRetrying(caller);
    stack.ollama.next({ tokens: 9, dropAfterLines: 3 });
    const error = await refusal(retrying.chat.completions.create(CHAT));
    expect(error).to.include({ status: 502, code: 'upstream_error' });
    expect(statuses).to.deep.equal([502]);
    stack.ollama.next({ dropAfterLines: 0 });
    await retrying.chat.completions.create(CHAT);
    expect(statuses).to.deep.equal([502, 502, 200]);
  });

  it('a key that is revoked in the middle of a stream throws', async () => {
    const made = await stack.makeKey(caller.tenantId);
    const running = stream({ tokens: 50, text: 'a', paceMs: 100 }, toClient(made));
    await until(() => stack.ollama.inferences.at(-1)?.completed === false, {
      withinMs: 3_000,
      what: 'the stream to run',
    });
    await stack.database.query('insert into gateway.revocations (key_id) values ($1)', [
      made.keyId,
    ]);
    const { finish, error } = await running;
    expect(finish).to.equal(null);
    expect(error).to.include({ code: 'revoked' });
  });

  it('each refusal has the class, the code and the field that clients look at', async () => {
    const wrong = await refusal(toClient({ key: 'nz_wrong' }).chat.completions.create(CHAT));
    expect(wrong).to.be.instanceOf(OpenAI.AuthenticationError);
    expect(wrong).to.include({ status: 401, code: 'invalid_api_key' });

    const unknown = await refusal(client.chat.completions.create({ ...CHAT, model: 'no-such' }));
    expect(unknown).to.be.instanceOf(OpenAI.PermissionDeniedError);
    expect(unknown).to.include({ code: 'model_not_allowed', param: 'model' });

    const typed = await refusal(
      client.chat.completions.create({ ...CHAT, temperature: 'hot' as never }),
    );
    expect(typed).to.be.instanceOf(OpenAI.BadRequestError);
    expect(typed).to.include({ code: 'invalid_request', param: 'temperature' });

    stack.ollama.next({ status: 400, body: '{"error":"\\"llama3\\" does not support thinking"}' });
    const thinking = await refusal(
      client.chat.completions.create({ ...CHAT, reasoning_effort: 'high' }),
    );
    expect(thinking).to.include({ status: 400, param: 'reasoning_effort' });
    expect(thinking.message).to.include('does not support `reasoning_effort`');

    stack.ollama.next({ errorAfterLines: 0, errorText: '"llama3" does not support tools' });
    const tools = await refusal(client.chat.completions.create({ ...CHAT, stream: true }));
    expect(tools).to.include({ status: 400, param: 'tools' });
  });

  it('a spent budget throws at once: its client does not knock again', async () => {
    const made = await stack.makeKey(caller.tenantId, {
      limits: { ...NO_LIMITS, budgetTokens: 5_000, budgetPeriod: 'month' },
    });
    const { client: retrying, statuses } = toRetrying(made);
    stack.ollama.next({ tokens: 3, promptTokens: 600, evalTokens: 50 });
    const spend = (): Promise<unknown> => retrying.chat.completions.create(CHAT);
    const error = await until(
      async () => {
        stack.ollama.next({ tokens: 3, promptTokens: 600, evalTokens: 50 });
        const last = await spend().catch((thrown: unknown) => thrown as APIError);
        return last instanceof OpenAI.APIError && last.code === 'insufficient_quota' && last;
      },
      { withinMs: 20_000, what: 'the budget to be spent' },
    );
    expect(error).to.be.instanceOf(OpenAI.RateLimitError);
    const asked = statuses.length;
    await refusal(spend());
    expect(statuses.slice(asked)).to.deep.equal([429]);
  });

  it('a limit of a minute is waited for by the client itself, which then succeeds', async () => {
    const { statuses, text } = await waited;
    expect(statuses).to.deep.equal([429, 200]);
    expect(text).to.be.a('string');
  });
});
