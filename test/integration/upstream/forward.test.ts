import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { expect } from 'chai';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import type { AttemptLimits } from '../../../lib/upstream/attempt.ts';
import { closeForwarder, forward, openForwarder } from '../../../lib/upstream/forward.ts';
import type { Forwarder, ForwardRequest } from '../../../lib/upstream/forward.ts';
import type { UpstreamReply } from '../../../lib/upstream/reply.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import { startFakeOllama } from '../../support/fake-ollama.ts';
import type { FakeOllama } from '../../support/fake-ollama.ts';
import { until } from '../../support/until.ts';

const BODY = Buffer.from('{"model":"llama3:latest","stream":true}');

describe('upstream/forward', () => {
  let fake: FakeOllama;
  let forwarder: Forwarder;
  const servers: Server[] = [];

  beforeEach(async () => {
    fake = await startFakeOllama();
    forwarder = open([fake.url]);
  });

  afterEach(async () => {
    await closeForwarder(forwarder);
    await fake.close();
    for (const server of servers.splice(0)) server.close();
  });

  function open(origins: readonly string[], limits: Partial<AttemptLimits> = {}): Forwarder {
    return openForwarder({
      origins,
      clock: systemClock,
      tickMs: 10,
      breaker: { failures: 5, openMs: 5_000 },
      limits: {
        connectTimeoutMs: 500,
        firstByteTimeoutMs: 2_000,
        chunkTimeoutMs: 2_000,
        requestTimeoutMs: 10_000,
        ...limits,
      },
    });
  }

  async function reopen(
    origins: readonly string[],
    limits: Partial<AttemptLimits> = {},
  ): Promise<void> {
    await closeForwarder(forwarder);
    forwarder = open(origins, limits);
  }

  function request(changes: Partial<ForwardRequest> = {}): ForwardRequest {
    return {
      path: '/api/chat',
      body: { bytes: BODY, drop: () => undefined },
      headers: ['content-type', 'application/json'],
      upstreams: [0],
      tenantId: 'acme',
      gone: new AbortController().signal,
      tally: startTally(),
      ...changes,
    };
  }

  async function failureOf(asked: ForwardRequest): Promise<GatewayError> {
    try {
      await forward(forwarder, asked);
    } catch (error) {
      if (error instanceof GatewayError) return error;
      throw error;
    }
    throw new Error('it was answered');
  }

  function read(reply: UpstreamReply): Promise<string> {
    const chunks: Buffer[] = [];
    return new Promise((resolve, reject) => {
      reply.receive({
        onBytes: (chunk) => chunks.push(chunk) > 0,
        onEnd: () => {
          resolve(Buffer.concat(chunks).toString());
        },
        onFailure: reject,
      });
    });
  }

  /** A port on which nothing listens. */
  async function closedOrigin(): Promise<string> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return `http://127.0.0.1:${port}`;
  }

  it('sends a constant head and the body, and nothing else', async () => {
    await read(await forward(forwarder, request()));
    const [seen] = fake.inferences;
    expect(seen?.path).to.equal('/api/chat');
    expect(seen?.body).to.equal(BODY.toString());
    expect(seen?.rawHeaders.filter((_, i) => i % 2 === 0)).to.deep.equal([
      'host',
      'connection',
      'content-type',
      'content-length',
    ]);
    expect(seen?.rawHeaders[1]).to.equal(new URL(fake.url).host);
  });

  it('loses nothing that came before the receiver, and goes on after a pause', async () => {
    fake.next({ tokens: 2_000, text: 'x'.repeat(500) });
    const reply = await forward(forwarder, request());
    await until(() => fake.inFlight === 0 || fake.inferences.length === 1, {
      withinMs: 1_000,
      what: 'the reply',
    });
    let bytes = 0;
    let pauses = 0;
    await new Promise<void>((resolve, reject) => {
      reply.receive({
        onBytes(chunk) {
          bytes += chunk.length;
          pauses += 1;
          setImmediate(() => {
            reply.resume();
          });
          return false;
        },
        onEnd: resolve,
        onFailure: reject,
      });
    });
    const direct = await fetch(`${fake.url}/api/chat`, { method: 'POST', body: BODY });
    expect((await direct.text()).length).to.be.greaterThan(0);
    expect(bytes).to.be.greaterThan(2_000 * 500);
    expect(pauses).to.be.greaterThan(1);
  });

  it('answers 502 at once where nothing listens, and has written nothing', async () => {
    await reopen([await closedOrigin()]);
    const asked = request();
    const startedAtMs = performance.now();
    expect(await failureOf(asked)).to.include({ code: 'upstream_error', status: 502 });
    expect(performance.now() - startedAtMs).to.be.lessThan(500);
    expect(asked.tally).to.include({ written: false, outcome: null });
    expect(forwarder.upstreams[0]?.connections.inFlight).to.equal(0);
  });

  it('moves on to the next upstream when a connect fails, and only then', async () => {
    await reopen([await closedOrigin(), fake.url]);
    expect(await read(await forward(forwarder, request({ upstreams: [0, 1] })))).to.contain('done');
    fake.next({ resetAfterLines: 0 });
    const asked = request({ upstreams: [1, 0] });
    expect(await failureOf(asked)).to.include({ code: 'upstream_error' });
    expect(asked.tally.written).to.equal(true);
    expect(fake.inferences).to.have.length(2);
  });

  it('prefers the upstream with the fewest requests in flight', async () => {
    const other = await startFakeOllama();
    try {
      await reopen([fake.url, other.url]);
      fake.next({ stallAfterLines: 1 });
      const first = await forward(forwarder, request({ upstreams: [0, 1] }));
      await read(await forward(forwarder, request({ upstreams: [0, 1] })));
      expect([fake.inferences.length, other.inferences.length]).to.deep.equal([1, 1]);
      first.abort();
      await read(await forward(forwarder, request({ upstreams: [0, 1] })));
      expect([fake.inferences.length, other.inferences.length]).to.deep.equal([2, 1]);
    } finally {
      await other.close();
    }
  });

  it('refuses when no upstream has the model', async () => {
    const failure = await failureOf(request({ upstreams: [] }));
    expect(failure).to.include({ code: 'models_unavailable', status: 503 });
  });

  it('waits for the head after an early hint', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () => {
        socket.write('HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n');
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await reopen([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]);
    expect(await read(await forward(forwarder, request()))).to.equal('ok');
  });

  it('gives up connecting in time, and lets go of the socket', async () => {
    const held: Socket[] = [];
    const origin = await openSilent(held);
    await reopen([origin], { connectTimeoutMs: 100 });
    const asked = request();
    const startedAtMs = performance.now();
    expect(await failureOf(asked)).to.include({ code: 'upstream_error', status: 502 });
    expect(performance.now() - startedAtMs).to.be.within(90, 400);
    expect(asked.tally.written).to.equal(false);
    await until(() => held.every((socket) => socket.destroyed), {
      withinMs: 3_000,
      what: 'the close',
    });
  });

  it('ends the wait for a connection when the client leaves', async () => {
    const held: Socket[] = [];
    await reopen([await openSilent(held), fake.url], { connectTimeoutMs: 400 });
    const client = new AbortController();
    const asked = request({ upstreams: [0, 1], gone: client.signal });
    const failed = failureOf(asked);
    await until(() => held.length, { withinMs: 1_000, what: 'the connection' });
    client.abort();
    await failed;
    expect(asked.tally).to.include({ written: false, outcome: null });
    expect(fake.inferences).to.have.length(0);
    await until(() => held.every((socket) => socket.destroyed), {
      withinMs: 3_000,
      what: 'the close',
    });
  });

  it('answers 504 when the first byte does not come', async () => {
    await reopen([fake.url], { firstByteTimeoutMs: 100 });
    fake.next({ stallAfterLines: 0 });
    const asked = request();
    expect(await failureOf(asked)).to.include({ code: 'upstream_timeout', status: 504 });
    expect(asked.tally).to.include({
      written: true,
      firstByteAtMs: null,
      outcome: 'upstream_error',
    });
    const seen = await fake.received(1);
    await seen.closed;
    expect(seen.completed).to.equal(false);
  });

  it('ends the wait for the first byte within 250 ms of a hang-up', async () => {
    fake.next({ stallAfterLines: 0 });
    const client = new AbortController();
    const asked = request({ gone: client.signal });
    const failed = failureOf(asked);
    const seen = await fake.received(1);
    const leftAtMs = systemClock.monotonicMs();
    client.abort();
    expect(await failed).to.be.instanceOf(GatewayError);
    expect((await seen.closed) - leftAtMs).to.be.lessThan(250);
    // Who cut it knows why: it may have been us.
    expect(asked.tally).to.include({ written: true, outcome: null });
  });

  it('sends nothing for a client that has left before', async () => {
    const gone = AbortSignal.abort();
    const asked = request({ gone });
    await failureOf(asked);
    expect(asked.tally).to.include({ written: false, outcome: null });
    expect(fake.inferences).to.have.length(0);
  });

  it('does not let a stalled error body hold the answer', async () => {
    fake.next({ status: 500, body: 'x', headers: { 'content-length': '1000' } });
    const failure = await failureOf(request());
    expect(failure).to.include({ code: 'upstream_error', status: 502 });
  }).timeout(6_000);

  it('reuses a connection for its tenant and makes a new one for another', async () => {
    await read(await forward(forwarder, request()));
    await read(await forward(forwarder, request()));
    expect(fake.connections).to.equal(1);
    await read(await forward(forwarder, request({ tenantId: 'other' })));
    expect(fake.connections).to.equal(2);
    await read(await forward(forwarder, request()));
    expect(fake.inferences.map((seen) => seen.connection)).to.deep.equal([1, 1, 2, 1]);
  });

  it('puts one request at a time on a connection', async () => {
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => forward(forwarder, request())),
    );
    expect(forwarder.upstreams[0]?.connections.inFlight).to.be.at.most(20);
    await Promise.all(replies.map(read));
    expect(fake.connections).to.equal(20);
    expect(forwarder.upstreams[0]?.connections.inFlight).to.equal(0);
  });

  it('never uses a connection again that was aborted', async () => {
    fake.next({ stallAfterLines: 1 });
    const reply = await forward(forwarder, request());
    reply.abort();
    reply.abort();
    await read(await forward(forwarder, request()));
    expect(fake.inferences.map((seen) => seen.connection)).to.deep.equal([1, 2]);
    await fake.inferences[0]?.closed;
  });

  /** Accepts, and never says a word: a TLS handshake with it does not end. */
  async function openSilent(held: Socket[]): Promise<string> {
    const server = createServer((socket) => {
      held.push(socket);
      socket.on('error', () => socket.destroy()).resume();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
});
