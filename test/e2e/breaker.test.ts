import { expect } from 'chai';
import { systemClock } from '../../lib/time/clock.ts';
import { startFakeOllama } from '../support/fake-ollama.ts';
import type { FakeOllama, Script } from '../support/fake-ollama.ts';
import { checkLedger } from '../support/ledger-check.ts';
import { post, startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const FAILURES = 5;
const OPEN_MS = 2_000;
const CHAT = { model: 'llama3', messages: [{ role: 'user', content: 'hello' }] };
/** What a client can mend: said by Ollama with a 500. */
const WORDED: Script = { status: 500, body: '{"error":"\\"x\\" does not support thinking"}' };

interface Answer {
  readonly id: string;
  readonly status: number;
  readonly text: string;
  readonly retryAfterS: number | null;
  readonly retryAfterMs: number | null;
}

/** A breaker is a worker's own: with one worker every count is exact. */
describe('e2e: an upstream that fails is left alone for a while', function () {
  this.timeout(90_000);
  let stack: Stack;
  let caller: MadeKey;
  let ollama: FakeOllama;
  const admitted: string[] = [];

  before(async () => {
    stack = await startStack({
      workers: 1,
      env: {
        NZGW_BREAKER_FAILURES: String(FAILURES),
        NZGW_BREAKER_SECONDS: String(OPEN_MS / 1_000),
        NZGW_FIRST_BYTE_TIMEOUT_SECONDS: '2',
      },
    });
    ({ ollama } = stack);
    caller = await stack.makeCaller();
  });
  after(async () => {
    await ollama.close();
    await stack.stop();
  });

  async function ask(signal?: AbortSignal): Promise<Answer> {
    const response = await post(`${stack.gateway.url}/api/chat`, caller.key, CHAT, {
      headers: { authorization: `Bearer ${caller.key}` },
      ...(signal && { signal }),
    });
    const text = await response.text();
    const { status, headers } = response;
    const id = headers.get('request-id') ?? '';
    if (status !== 503) admitted.push(id);
    return {
      id,
      status,
      text,
      retryAfterS: readNumber(headers.get('retry-after')),
      retryAfterMs: readNumber(headers.get('retry-after-ms')),
    };
  }

  async function askFor(times: number, script: Script): Promise<readonly number[]> {
    const statuses: number[] = [];
    for (let i = 0; i < times; i += 1) {
      ollama.next(script);
      statuses.push((await ask()).status);
    }
    return statuses;
  }

  const same = (status: number, times = FAILURES): readonly number[] =>
    Array.from({ length: times }, () => status);

  /** Refused by the gateway alone, with an honest wait; returns when that is over. */
  async function waitOut([aboveMs, atMostMs] = [0, OPEN_MS]): Promise<void> {
    const seen = ollama.inferences.length;
    const refused = await ask();
    const atMs = systemClock.monotonicMs();
    expect(refused.status, refused.text).to.equal(503);
    expect(refused.text).to.contain('in a row');
    expect(refused.retryAfterMs).to.be.above(aboveMs).and.at.most(atMostMs);
    expect(refused.retryAfterS).to.equal(Math.ceil((refused.retryAfterMs ?? 0) / 1_000));
    expect(ollama.inferences).to.have.length(seen);
    await until(() => systemClock.monotonicMs() - atMs >= (refused.retryAfterMs ?? 0), {
      withinMs: atMostMs + 500,
      what: 'the wait that was told',
    });
  }

  /** Of many at once exactly one goes upstream; its success lets all pass again. */
  async function expectOneProbe(): Promise<void> {
    const seen = ollama.inferences.length;
    ollama.next({ firstByteMs: 1_000 });
    const probe = ask();
    await ollama.received(seen + 1);
    const others = await Promise.all(Array.from({ length: 6 }, () => ask()));
    expect(others.map(({ status }) => status)).to.deep.equal(same(503, 6));
    for (const { retryAfterS } of others) expect(retryAfterS).to.equal(1);
    expect(ollama.inferences).to.have.length(seen + 1);
    expect((await probe).status).to.equal(200);
    expect((await ask()).status).to.equal(200);
  }

  it('that cannot be reached', async () => {
    const port = Number(new URL(ollama.url).port);
    await ollama.close();
    const statuses: number[] = [];
    for (let i = 0; i < FAILURES; i += 1) statuses.push((await ask()).status);
    expect(statuses).to.deep.equal(same(502));
    await waitOut();
    ollama = await startFakeOllama({ port });
    await expectOneProbe();
  });

  it('that answers 500', async () => {
    expect(await askFor(FAILURES, { status: 500, body: 'boom' })).to.deep.equal(same(502));
    await waitOut();
    await expectOneProbe();
  });

  it('that sends no first byte', async () => {
    ollama.next(...Array.from({ length: FAILURES }, () => ({ stallAfterLines: 0 })));
    const answers = await Promise.all(Array.from({ length: FAILURES }, () => ask()));
    expect(answers.map(({ status }) => status)).to.deep.equal(same(504));
    await waitOut();
    await expectOneProbe();
  });

  it('that breaks its connections before the first token, or begins with an error', async () => {
    const statuses = [
      ...(await askFor(3, { resetAfterLines: 0 })),
      ...(await askFor(2, { errorAfterLines: 0 })),
    ];
    expect(statuses).to.deep.equal(same(502));
    await waitOut();
    await expectOneProbe();
  });

  it('for twice as long after a probe that failed, and for the first time again after success', async () => {
    await askFor(FAILURES, { status: 500 });
    await waitOut();
    expect(await askFor(1, { status: 500 })).to.deep.equal([502]);
    await waitOut([OPEN_MS, 2 * OPEN_MS]);
    expect((await ask()).status).to.equal(200);
    await askFor(FAILURES, { status: 500 });
    await waitOut();
    expect((await ask()).status).to.equal(200);
    // One that fails now and then is never left alone.
    for (let round = 0; round < 4; round += 1) {
      expect(await askFor(FAILURES - 1, { status: 500 })).to.deep.equal(same(502, 4));
      expect((await ask()).status).to.equal(200);
    }
  });

  async function leaveBeforeTheFirstByte(): Promise<void> {
    const seen = ollama.inferences.length;
    ollama.next({ firstByteMs: 20_000 });
    const leaving = new AbortController();
    const left = ask(leaving.signal).catch(() => null);
    const request = await ollama.received(seen + 1);
    leaving.abort();
    expect(await left).to.equal(null);
    await request.closed;
  }

  it('a probe whose client left makes room for the next', async () => {
    await askFor(FAILURES, { status: 500 });
    await waitOut();
    await leaveBeforeTheFirstByte();
    await expectOneProbe();
  });

  it('but not for what clients do: they ask wrongly and leave, and it stays in use', async () => {
    await askFor(FAILURES - 1, { status: 500 });
    for (let i = 0; i < FAILURES; i += 1) {
      expect(await askFor(1, WORDED)).to.deep.equal([400]);
      expect(await askFor(1, { status: 400, body: 'bad' })).to.deep.equal([400]);
      await leaveBeforeTheFirstByte();
    }
    expect((await ask()).status).to.equal(200);
    // Nor for what it says of a model that is gone: it has moved, perhaps.
    expect(
      await askFor(FAILURES, { status: 404, body: '{"error":"model \'x\' not found"}' }),
    ).to.deep.equal(same(503));
    expect((await ask()).status).to.equal(200);
  });

  it('and every request that was admitted has its one row, those that it refused cost nothing', async () => {
    await checkLedger(stack, { admitted });
    const rows = await stack.readAudit(caller.keyId, admitted.length);
    const refused = rows.filter((row) => row['refusal_code'] === 'upstream_unavailable');
    expect(refused.length).to.be.above(5 * 6);
    for (const row of refused) {
      expect(row).to.include({ outcome: 'refused', status: 503 });
      expect(Number(row['charged_tokens'])).to.equal(0);
    }
  });
});

function readNumber(text: string | null): number | null {
  return text === null ? null : Number(text);
}
