import { expect } from 'chai';
import { startFakeOllama } from '../support/fake-ollama.ts';
import type { FakeOllama, Script } from '../support/fake-ollama.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const BOTH = { name: 'llama3:latest' };
const FIRST_MODELS = [BOTH, { name: 'only-first:1b' }];
const SECOND_MODELS = [BOTH, { name: 'only-second:1b' }];
const LONG: Script = { tokens: 5_000, paceMs: 20 };

interface Stream {
  readonly response: Response;
  leave(): Promise<void>;
}

/** Two servers in OLLAMA_URL. One worker: what is in flight is counted by each. */
describe('e2e: several upstreams', function () {
  this.timeout(60_000);
  let stack: Stack;
  let caller: MadeKey;
  let first: FakeOllama;
  let second: FakeOllama;
  const admitted: string[] = [];

  before(async () => {
    first = await startFakeOllama({ models: FIRST_MODELS });
    second = await startFakeOllama({ models: SECOND_MODELS });
    stack = await startStack({
      workers: 1,
      env: {
        OLLAMA_URL: `${first.url},${second.url}`,
        NZGW_BREAKER_FAILURES: '3',
        NZGW_BREAKER_SECONDS: '1',
      },
    });
    caller = await stack.makeCaller();
  });
  after(async () => {
    await stack.stop();
    await Promise.all([first.close(), second.close()]);
  });

  async function open(model = 'llama3', signal?: AbortSignal): Promise<Response> {
    const body = { model, messages: [{ role: 'user', content: 'hello' }] };
    const response = await post(`${stack.gateway.url}/api/chat`, caller.key, body, {
      headers: { authorization: `Bearer ${caller.key}` },
      ...(signal && { signal }),
    });
    if (response.status !== 503) admitted.push(response.headers.get('request-id') ?? '');
    return response;
  }

  async function ask(model = 'llama3'): Promise<number> {
    const response = await open(model);
    await response.text();
    return response.status;
  }

  async function askOften(times: number): Promise<readonly number[]> {
    const statuses: number[] = [];
    for (let i = 0; i < times; i += 1) statuses.push(await ask());
    return [...new Set(statuses)];
  }

  /** A stream that goes on until it is left. */
  async function begin(): Promise<Stream> {
    const leaving = new AbortController();
    const response = await open('llama3', leaving.signal);
    expect(response.status).to.equal(200);
    return {
      response,
      leave: async () => {
        leaving.abort();
        await response.text().catch(() => '');
      },
    };
  }

  const inFlight = (): readonly number[] => [first.inFlight, second.inFlight];
  const untilInFlight = (wanted: readonly number[]): Promise<unknown> =>
    until(() => inFlight().join() === wanted.join(), {
      withinMs: 2_000,
      what: `${wanted.join()} to be in flight`,
    });

  it('a request goes to the one with the fewest in flight, of equals to the first', async () => {
    first.always(LONG);
    second.always(LONG);
    const streams: Stream[] = [];
    const seen: (readonly number[])[] = [];
    for (let i = 0; i < 4; i += 1) {
      streams.push(await begin());
      seen.push(inFlight());
    }
    expect(seen).to.deep.equal([
      [1, 0],
      [1, 1],
      [2, 1],
      [2, 2],
    ]);
    streams.push(...(await Promise.all(Array.from({ length: 16 }, begin))));
    expect(inFlight()).to.deep.equal([10, 10]);

    // Those that were begun alone are known by their order: the second and fourth are the second's.
    await Promise.all([streams[1]?.leave(), streams[3]?.leave()]);
    await untilInFlight([10, 8]);
    streams.push(await begin(), await begin());
    expect(inFlight()).to.deep.equal([10, 10]);
    await Promise.all(streams.map((stream) => stream.leave()));
    await untilInFlight([0, 0]);
    first.always({});
    second.always({});
  });

  it('a model that only one has goes there', async () => {
    const before = [first.inferences.length, second.inferences.length];
    expect(await ask('only-second:1b')).to.equal(200);
    expect(await ask('only-second:1b')).to.equal(200);
    expect(await ask('only-first:1b')).to.equal(200);
    const after = [first.inferences.length, second.inferences.length];
    expect(after).to.deep.equal([(before[0] ?? 0) + 1, (before[1] ?? 0) + 2]);
  });

  it('one dies: only those whose request it had see an error, and its own model is 503', async () => {
    first.always(LONG);
    const stream = await begin();
    expect(inFlight()).to.deep.equal([1, 0]);
    const port = Number(new URL(first.url).port);
    await first.close();
    const lines = (await stream.response.text()).trim().split('\n');
    expect(lines.at(-1)).to.contain('"error"');

    expect(await askOften(20)).to.deep.equal([200]);
    expect(await Promise.all(Array.from({ length: 20 }, () => ask()))).to.deep.equal(
      Array.from({ length: 20 }, () => 200),
    );
    // A single one of these may be its probe.
    const rest = await until(
      async () => {
        const response = await open('only-first:1b');
        const text = await response.text();
        return response.status === 503 && text.includes('in a row') && response;
      },
      { withinMs: 1_000, what: 'the first to be left alone' },
    );
    expect(rest.headers.get('retry-after')).to.match(/^[1-9]\d*$/);

    // Its probes fail meanwhile, one by one, and no client hears of it.
    expect(await askOften(50)).to.deep.equal([200]);
    first = await startFakeOllama({ port, models: FIRST_MODELS });
  });

  it('it comes back: it is used again by itself, and no client sees an error', async () => {
    const statuses: number[] = [];
    await until(
      async () => {
        statuses.push(await ask());
        return first.inferences.length > 0;
      },
      { withinMs: 10_000, what: 'the first to be used again' },
    );
    expect([...new Set(statuses)]).to.deep.equal([200]);
    first.always(LONG);
    second.always(LONG);
    const streams = await Promise.all(Array.from({ length: 4 }, begin));
    expect(inFlight()).to.deep.equal([2, 2]);
    await Promise.all(streams.map((stream) => stream.leave()));
    await untilInFlight([0, 0]);
    first.always({});
    second.always({});
    expect(await ask('only-first:1b')).to.equal(200);
  });

  it('nothing that one has read is ever sent to the other', async () => {
    const before = second.inferences.length;
    first.next({ resetAfterLines: 0 }, { status: 500 });
    expect([await ask(), await ask()]).to.deep.equal([502, 502]);
    expect(second.inferences).to.have.length(before);
    expect(await ask()).to.equal(200);
  });

  it('all that have the model rest: 503 with the shortest wait, until one is back', async () => {
    first.always({ status: 500 });
    second.always({ status: 500 });
    const refusal = await until(
      async () => {
        const response = await open();
        const text = await response.text();
        return response.status === 503 && text.includes('in a row') && response;
      },
      { withinMs: 5_000, what: 'both to be left alone' },
    );
    expect(Number(refusal.headers.get('retry-after-ms'))).to.be.within(1, 1_000);
    second.always({});
    await until(async () => (await askOften(1)).includes(200), {
      withinMs: 15_000,
      what: 'the second to be back',
    });
    first.always({});
  });

  it('and every request that was admitted has its one row', async () => {
    await checkLedger(stack, { admitted });
  });
});
