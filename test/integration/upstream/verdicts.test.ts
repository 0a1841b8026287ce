import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { expect } from 'chai';
import { systemClock } from '../../../lib/time/clock.ts';
import type { AttemptLimits } from '../../../lib/upstream/attempt.ts';
import { closeForwarder, forward, openForwarder } from '../../../lib/upstream/forward.ts';
import type { Forwarder, ForwardRequest } from '../../../lib/upstream/forward.ts';
import type { UpstreamReply } from '../../../lib/upstream/reply.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import { startFakeOllama } from '../../support/fake-ollama.ts';
import type { FakeOllama, Script } from '../../support/fake-ollama.ts';
import { until } from '../../support/until.ts';

const OPEN_MS = 5_000;
const WORDED = '{"error":"\\"llama3\\" does not support thinking"}';

/** One failure opens the breaker here: what counts as one is seen by its state. */
describe('upstream: what a request shows of its upstream', () => {
  let fake: FakeOllama;
  let forwarder: Forwarder;
  /** Added to the clock. */
  let aheadMs: number;
  const servers: Server[] = [];

  beforeEach(async () => {
    aheadMs = 0;
    fake = await startFakeOllama();
    open([fake.url]);
  });

  afterEach(async () => {
    await closeForwarder(forwarder);
    await fake.close();
    for (const server of servers.splice(0)) server.close();
  });

  function open(origins: readonly string[], limits: Partial<AttemptLimits> = {}): void {
    forwarder = openForwarder({
      origins,
      clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs },
      tickMs: 10,
      limits: {
        connectTimeoutMs: 500,
        firstByteTimeoutMs: 2_000,
        chunkTimeoutMs: 2_000,
        requestTimeoutMs: 60_000,
        ...limits,
      },
      breaker: { failures: 1, openMs: OPEN_MS },
    });
  }

  async function reopen(
    origins: readonly string[],
    limits: Partial<AttemptLimits> = {},
  ): Promise<void> {
    await closeForwarder(forwarder);
    open(origins, limits);
  }

  function send(gone: AbortSignal = new AbortController().signal): Promise<UpstreamReply> {
    const request: ForwardRequest = {
      path: '/api/chat',
      body: {
        bytes: Buffer.from('{"model":"llama3:latest","stream":true}'),
        drop: () => undefined,
      },
      headers: ['content-type', 'application/json'],
      upstreams: [0, 1],
      tenantId: 'acme',
      gone,
      tally: startTally(),
    };
    return forward(forwarder, request);
  }

  /** 'ok', or the code of the failure. */
  async function run(script?: Script): Promise<string> {
    if (script) fake.next(script);
    try {
      const reply = await send();
      return await new Promise((resolve) => {
        reply.receive({
          onBytes: () => true,
          onEnd: () => {
            resolve('ok');
          },
          onFailure: ({ code }) => {
            resolve(code);
          },
        });
      });
    } catch (error) {
      return (error as { readonly code: string }).code;
    }
  }

  const state = (position = 0): unknown => forwarder.upstreams[position]?.breaker.state();

  async function listen(server: Server): Promise<string> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const failures: Record<string, readonly [Script, string]> = {
    'a 500': [{ status: 500, body: 'boom' }, 'upstream_error'],
    'a 503': [{ status: 503 }, 'upstream_unavailable'],
    'a reset before the head': [{ resetAfterLines: 0 }, 'upstream_error'],
    'a close before the head': [{ dropAfterLines: 0 }, 'upstream_error'],
    'an error line that comes first': [{ errorAfterLines: 0 }, 'upstream_error'],
    'an error line in pieces': [{ errorAfterLines: 0, splitBytes: 3 }, 'upstream_error'],
    'a 200 without a byte': [{ endAfterLines: 0 }, 'ok'],
    'a head without a body': [
      { status: 200, headers: { 'content-length': '9' } },
      'upstream_timeout',
    ],
    'no head': [{ stallAfterLines: 0 }, 'upstream_timeout'],
  };
  for (const [name, [script, code]] of Object.entries(failures)) {
    it(`${name} is a failure`, async () => {
      await reopen([fake.url], { firstByteTimeoutMs: 100, chunkTimeoutMs: 100 });
      expect(await run(script)).to.equal(code);
      expect(state()).to.equal('open');
    });
  }

  const others: Record<string, readonly [Script, string]> = {
    'a reply': [{}, 'ok'],
    'a reply that breaks after its first token': [{ resetAfterLines: 1 }, 'upstream_error'],
    'a reply that stalls after its first token': [{ stallAfterLines: 1 }, 'upstream_timeout'],
    'an error line after the first token': [{ errorAfterLines: 1 }, 'ok'],
    'an error line that the client can mend': [
      { errorAfterLines: 0, errorText: '"x" does not support thinking' },
      'invalid_request',
    ],
    'a schema that the server cannot use': [
      { status: 500, body: '{"error":"invalid JSON schema in format"}' },
      'invalid_request',
    ],
    'a tool call that the model wrote badly': [
      { status: 500, body: '{"error":"error parsing tool call: raw=x"}' },
      'upstream_error',
    ],
    'a 500 that the client can mend': [{ status: 500, body: WORDED }, 'invalid_request'],
    'a 400': [{ status: 400, body: 'boom' }, 'invalid_request'],
    'a 404': [{ status: 404, body: "model 'x' not found" }, 'models_unavailable'],
    'a redirect': [{ status: 307 }, 'upstream_error'],
  };
  for (const [name, [script, code]] of Object.entries(others)) {
    it(`${name} is none`, async () => {
      await reopen([fake.url], { chunkTimeoutMs: 100 });
      expect(await run(script)).to.equal(code);
      expect(state()).to.equal('closed');
    });
  }

  it('a 500 whose text breaks off is a failure, a 400 whose text does is none', async () => {
    for (const [status, code, expected] of [
      [400, 'invalid_request', 'closed'],
      [500, 'upstream_error', 'open'],
    ] as const) {
      const head = `HTTP/1.1 ${status} No\r\ncontent-length: 100\r\n\r\nbo`;
      const server = createServer((socket) => {
        socket.on('error', () => socket.destroy());
        socket.once('data', () => socket.end(head));
      });
      await reopen([`http://${await listen(server)}`]);
      expect(await run()).to.equal(code);
      expect(state()).to.equal(expected);
    }
  });

  it('a connect that is refused or takes too long is a failure, and moves on', async () => {
    const silent = createServer((socket: Socket) => {
      socket.on('error', () => socket.destroy()).resume();
    });
    const refused = createServer();
    const refusing = `http://${await listen(refused)}`;
    await new Promise((resolve) => refused.close(resolve));
    for (const origin of [`https://${await listen(silent)}`, refusing]) {
      await reopen([origin, fake.url], { connectTimeoutMs: 100 });
      expect(await run()).to.equal('ok');
      expect([state(0), state(1)]).to.deep.equal(['open', 'closed']);
    }
  });

  it('a wait for the first byte shows nothing while another stream of it moves', async () => {
    await reopen([fake.url], { firstByteTimeoutMs: 300 });
    fake.next({ tokens: 5_000, paceMs: 10 });
    const moving = await send();
    let chunks = 0;
    moving.receive({
      onBytes: () => (chunks += 1) > 0,
      onEnd: () => undefined,
      onFailure: () => undefined,
    });
    await until(() => chunks, { withinMs: 1_000, what: 'its first token' });
    expect(await run({ stallAfterLines: 0 })).to.equal('upstream_timeout');
    expect(state()).to.equal('closed');
    moving.abort();
    expect(await run({ stallAfterLines: 0 })).to.equal('upstream_timeout');
    expect(state()).to.equal('open');
  });

  it('a request that takes too long in all is a failure like one without a first byte', async () => {
    await reopen([fake.url], { requestTimeoutMs: 100 });
    expect(await run({ stallAfterLines: 0 })).to.equal('upstream_timeout');
    expect(state()).to.equal('open');
  });

  it('a client that leaves shows nothing, and makes room for another probe', async () => {
    await run({ status: 500 });
    aheadMs += OPEN_MS;
    const client = new AbortController();
    fake.next({ stallAfterLines: 0 });
    const probe = send(client.signal).catch(() => 'gone');
    await fake.received(2);
    expect(await run()).to.equal('upstream_unavailable');
    client.abort();
    expect(await probe).to.equal('gone');
    expect(state()).to.equal('half_open');

    // The relay hears of a client once the head is there.
    fake.next({ status: 200, headers: { 'content-length': '9' } });
    const reply = await send();
    expect(await run()).to.equal('upstream_unavailable');
    reply.abort();
    expect(state()).to.equal('half_open');
    expect(await run()).to.equal('ok');
    expect(state()).to.equal('closed');
  });

  it('refuses with the shortest wait when all that have the model rest', async () => {
    await reopen([fake.url, fake.url]);
    await run({ status: 500 });
    aheadMs += 2_000;
    await run({ status: 500 });
    const refusal: unknown = await send().catch((error: unknown) => error);
    expect(refusal).to.include({ code: 'upstream_unavailable', status: 503 });
    const { details } = refusal as { readonly details: { readonly retryAfterMs: number } };
    expect(details.retryAfterMs).to.be.within(OPEN_MS - 3_000, OPEN_MS - 2_000);
    expect(fake.inferences).to.have.length(2);
  });

  it('one that is half open is tried although another has nothing to do', async () => {
    const other = await startFakeOllama();
    try {
      await reopen([other.url, fake.url]);
      other.next({ status: 500 });
      expect(await run()).to.equal('upstream_error');
      expect(await run()).to.equal('ok');
      aheadMs += OPEN_MS;
      expect(await run()).to.equal('ok');
      expect([state(0), other.inferences.length]).to.deep.equal(['closed', 2]);
    } finally {
      await other.close();
    }
  });
});
