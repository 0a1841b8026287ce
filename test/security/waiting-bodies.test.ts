import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { openRelay } from '../support/open-relay.ts';
import type { RelayTest } from '../support/open-relay.ts';
import { openRawClient } from '../support/raw-client.ts';
import type { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const MIB = 1_048_576;
const REQUESTS = 24;
const BODY = `{"model":"m","messages":[{"role":"user","content":"${'x'.repeat(4 * MIB)}"}]}`;
const SETTINGS = { maxBodyBytes: 8 * MIB, bodyMemoryBytes: 64 * MIB, bodyThreadBytes: 64 * MIB };

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** MiB of buffers that are held, clients and upstream of this process among them. */
function readHeldMib(): number {
  collect();
  return process.memoryUsage().arrayBuffers / MIB;
}

describe('security: bodies of requests that wait for their upstream', function () {
  this.timeout(30_000);
  let relay: RelayTest;
  let server: Server;
  let upstream: Socket[];
  let clients: RawClient[];

  /** Takes connections and never answers; `reads`: it takes the bodies. */
  async function open(reads: boolean): Promise<void> {
    upstream = [];
    clients = [];
    server = createServer({ pauseOnConnect: !reads }, (socket) => {
      upstream.push(socket);
      socket.on('error', () => socket.destroy());
      if (reads) socket.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const limits = { firstByteTimeoutMs: 20_000 };
    relay = await openRelay({ origins: [origin], settings: SETTINGS, limits });
  }

  afterEach(async () => {
    for (const client of clients) client.destroy();
    await relay.close();
    for (const socket of upstream) socket.destroy();
    server.close();
  });

  async function send(tenant: string): Promise<RawClient> {
    const client = await openRawClient(relay.port);
    clients.push(client);
    const head = `POST /api/chat HTTP/1.1\r\nHost: a\r\nX-Tenant: ${tenant}\r\n`;
    client.send(`${head}Content-Length: ${BODY.length}\r\n\r\n`, BODY);
    return client;
  }

  it('are let go as soon as it took them: many may wait, and hold nothing', async () => {
    await open(true);
    const beforeMib = readHeldMib();
    for (let count = 1; count <= REQUESTS; count += 1) {
      await send('a');
      await until(() => relay.tallies.filter(({ written }) => written).length === count, {
        withinMs: 3_000,
        what: `request ${count} at the upstream`,
      });
      await until(() => relay.reader.heldBytes < 1_024, { withinMs: 3_000, what: 'the room' });
    }
    expect(relay.refusals).to.deep.equal([]);
    expect(upstream).to.have.length(REQUESTS);
    // V8 frees what it has collected a moment later, in a thread of its own.
    await until(() => readHeldMib() - beforeMib < 20, { withinMs: 3_000, what: 'the memory back' });
  });

  it('are counted while it does not take them: one tenant has its share, others the rest', async () => {
    await open(false);
    for (let count = 1; count <= 3; count += 1) {
      await send('a');
      await until(() => upstream.length === count, { withinMs: 3_000, what: 'the connection' });
    }
    expect(relay.reader.heldBytes).to.be.above(12 * MIB);
    const refused = await send('a');
    await refused.untilText('HTTP/1.1 503');
    await send('b');
    await until(() => upstream.length === 4, { withinMs: 3_000, what: 'the other tenant' });
    for (const client of clients) client.destroy();
    await until(() => relay.reader.heldBytes === 0, { withinMs: 3_000, what: 'the memory back' });
  });
});
