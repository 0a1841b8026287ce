import { expect } from 'chai';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { WorkerDrain } from '../../../lib/cluster/worker-drain.ts';
import type { Exchange } from '../../../lib/http/exchange.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { until } from '../../support/until.ts';

const GRACE_MS = 30_000;
const SOON = { withinMs: 4_000, what: 'the client to see it' };

/** A client with one connection: what came on it, and whether it is still open. */
interface Client {
  readonly socket: Socket;
  text(): string;
  closed(): boolean;
}

describe('cluster/worker-drain', function () {
  this.timeout(10_000);
  let server: Server;
  let drain: WorkerDrain;
  let streams: ServerResponse[];
  let clients: Client[];
  let aheadMs: number;
  let looks: number;

  beforeEach(async () => {
    streams = [];
    clients = [];
    aheadMs = 0;
    looks = 0;
    server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      void drain.follow(toExchange(request, response), () => answer(request, response));
    });
    drain = new WorkerDrain({
      server,
      clock: {
        ...systemClock,
        monotonicMs: () => {
          looks += 1;
          return systemClock.monotonicMs() + aheadMs;
        },
      },
      cutAll: () => {
        for (const response of streams) response.end('cut\n');
      },
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    for (const { socket } of clients) socket.destroy();
    server.closeAllConnections();
    server.close();
  });

  /** A stream runs until a test ends it; all else is answered at once. */
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const closed = new Promise<void>((resolve) => response.once('close', resolve));
    if (request.url === '/stream') {
      response.write('begun\n');
      streams.push(response);
    } else response.end('whole\n');
    await closed;
  }

  async function open(path: string): Promise<Client> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    const client = { socket, text: () => text, closed: () => socket.destroyed };
    socket.on('end', () => socket.destroy());
    clients.push(client);
    ask(client, path);
    await until(() => /begun|whole/.test(text), SOON);
    return client;
  }

  function ask({ socket }: Client, path: string): void {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  }

  /** The drain has looked a few times since: what it does, it would have done. */
  async function untilLooked(): Promise<void> {
    const from = looks;
    await until(() => looks >= from + 3, { withinMs: 2_000, what: 'the drain to look' });
  }

  it('keeps a connection for one more request after a stream that ended late', async () => {
    const client = await open('/stream');
    expect(client.text()).to.match(/connection: keep-alive/i);
    const done = drain.run(GRACE_MS, { replaced: true });
    aheadMs = 4_000;
    await untilLooked();
    for (const response of streams) response.end('over\n');
    await until(() => client.text().includes('over'), SOON);
    await untilLooked();

    ask(client, '/next');
    await until(() => client.text().includes('whole') || client.closed(), SOON);
    expect(client.text())
      .to.include('whole')
      .and.match(/connection: close/i);
    await until(() => client.closed(), SOON);
    await done;
  });

  it('closes it when nothing comes in the time that it has', async () => {
    const client = await open('/stream');
    const done = drain.run(GRACE_MS, { replaced: true });
    aheadMs = 4_000;
    for (const response of streams) response.end('over\n');
    await until(() => client.text().includes('over'), SOON);
    await untilLooked();
    expect(client.closed()).to.equal(false);
    aheadMs = 8_000;
    await until(() => client.closed(), SOON);
    await done;
  });

  it('keeps none beyond the grace, and none if nobody has taken its place', async () => {
    const late = await open('/stream');
    const idle = await open('/whole');
    const done = drain.run(GRACE_MS, { replaced: true });
    aheadMs = GRACE_MS + 1;
    await until(() => late.text().includes('cut') && late.closed() && idle.closed(), SOON);
    expect(drain.refuses).to.equal(true);
    await done;
  });

  it('that becomes the end of the gateway keeps no idle connection any more', async () => {
    const stream = await open('/stream');
    const idle = await open('/whole');
    const done = drain.run(GRACE_MS, { replaced: true });
    await untilLooked();
    expect(idle.closed()).to.equal(false);
    void drain.run(GRACE_MS);
    await until(() => idle.closed(), SOON);
    expect(stream.closed()).to.equal(false);
    for (const response of streams) response.end('over\n');
    await until(() => stream.closed(), SOON);
    await done;
  });
});

/** What a drain looks at. */
function toExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  return {
    request,
    response,
    admissionId: '',
    clientRequestId: null,
    clientAddress: '127.0.0.1',
    dialect: 'native',
    startedAtMs: 0,
    gone: new AbortController().signal,
    standardHeaders: [],
    preflight: null,
    closed: Promise.resolve(),
  };
}
