import { expect } from 'chai';
import { openFront } from '../support/open-front.ts';
import type { Front, FrontOptions } from '../support/open-front.ts';
import { openRawClient, postRaw } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const POST = 'POST /api/chat HTTP/1.1\r\nHost: gateway\r\n';
const CHUNK = `1000\r\n${' '.repeat(0x1000)}\r\n`;

function head(tenant: string, bytes: number): string {
  return `${POST}X-Tenant: ${tenant}\r\nContent-Length: ${bytes}\r\n\r\n`;
}

describe('security: oversized bodies', () => {
  let front: Front;

  async function open(bodyMemoryBytes: number): Promise<void> {
    const readOwnerId: FrontOptions['readOwnerId'] = ({ request }) =>
      request.headers['x-tenant']?.toString() ?? '';
    front = await openFront({ settings: { maxBodyBytes: 65_536, bodyMemoryBytes }, readOwnerId });
  }

  beforeEach(async () => {
    await open(131_072);
  });

  afterEach(async () => {
    await front.close();
  });

  it('a length above the limit is 413 before a byte is read', async () => {
    const client = await openRawClient(front.port);
    client.send(`${POST}Content-Length: 65537\r\n\r\n`);
    await client.untilText('HTTP/1.1 413');
    expect(client.text).to.match(/\r\nconnection: close\r\n/);
    await client.untilClosed();
    expect(front.reader.heldBytes).to.equal(0);
  });

  it('a client that waits to be asked is told at once, without being asked', async () => {
    const client = await openRawClient(front.port);
    client.send(`${POST}Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n`);
    await client.untilClosed(900);
    expect(client.text).to.match(/^HTTP\/1\.1 413 /);
  });

  it('a client that sends on regardless can still read the refusal', async () => {
    const client = await openRawClient(front.port);
    client.send(`${POST}Content-Length: 120000\r\n\r\n`, 'x'.repeat(60_000));
    await client.untilText('request');
    expect(client.status).to.equal(413);
    await client.untilClosed();
  });

  it('a chunked body is counted, and ended at the limit', async () => {
    const client = await openRawClient(front.port);
    client.send(`${POST}Transfer-Encoding: chunked\r\n\r\n`, CHUNK.repeat(17));
    await client.untilText('HTTP/1.1 413');
    await client.untilClosed();
    expect(front.reader.heldBytes).to.equal(0);
  });

  it('an endless body does not go on for ever after the refusal', async () => {
    const client = await openRawClient(front.port);
    client.send(`${POST}Transfer-Encoding: chunked\r\n\r\n`);
    const pump = setInterval(() => {
      if (!client.closed) client.send(CHUNK.repeat(8));
    }, 5);
    try {
      await client.untilClosed();
    } finally {
      clearInterval(pump);
    }
  });

  it('a length that is declared and does not come takes no memory: many hold nobody up', async () => {
    const idle = await Promise.all(Array.from({ length: 20 }, () => openRawClient(front.port)));
    for (const client of idle) client.send(`${POST}Content-Length: 65536\r\n\r\n`);
    await until(() => front.exchanges.length === 20, { withinMs: 2_000, what: 'all of them' });
    expect(front.reader.heldBytes).to.equal(0);
    const last = await postRaw(front.port, '/api/chat', '{"model":"m","messages":[]}');
    expect(last.status).to.equal(200);
    for (const client of idle) client.destroy();
  });

  it('bodies being read share the memory of the worker: beyond it 503', async () => {
    const slow = [await openRawClient(front.port), await openRawClient(front.port)] as const;
    slow[0].send(head('a', 65_536), ' '.repeat(65_535));
    slow[1].send(head('b', 65_536), ' '.repeat(65_535));
    await until(() => front.reader.heldBytes >= 131_070, { withinMs: 2_000, what: 'both' });
    const third = await openRawClient(front.port);
    third.send(head('c', 1_000), ' '.repeat(1_000));
    await third.untilText('HTTP/1.1 503');
    expect(third.text).to.match(/\r\nretry-after: 1\r\n/);

    for (const client of slow) client.destroy();
    await until(() => front.reader.heldBytes === 0, { withinMs: 2_000, what: 'the memory back' });
  });

  it('a chunked body that outgrows the memory is 503', async () => {
    const held = await openRawClient(front.port);
    held.send(head('a', 65_536), ' '.repeat(65_535));
    await until(() => front.reader.heldBytes >= 65_535, { withinMs: 2_000, what: 'the first' });
    const also = await openRawClient(front.port);
    also.send(head('b', 65_000), ' '.repeat(64_999));
    await until(() => front.reader.heldBytes >= 130_534, { withinMs: 2_000, what: 'both' });
    const chunked = await openRawClient(front.port);
    chunked.send(`${POST}X-Tenant: c\r\nTransfer-Encoding: chunked\r\n\r\n`, CHUNK);
    await chunked.untilText('HTTP/1.1 503');
    held.destroy();
    also.destroy();
  });

  it('one tenant has a quarter of it: what is left is for others', async () => {
    await front.close();
    await open(524_288);
    const greedy = await Promise.all([1, 2].map(() => openRawClient(front.port)));
    for (const client of greedy) client.send(head('a', 65_536), ' '.repeat(65_535));
    await until(() => front.reader.heldBytes >= 131_070, { withinMs: 2_000, what: 'both' });

    const third = await openRawClient(front.port);
    third.send(head('a', 65_536), ' '.repeat(65_535));
    await third.untilText('HTTP/1.1 503');
    const other = await openRawClient(front.port);
    other.send(head('b', 65_536), `{"model":"m","messages":[]}${' '.repeat(65_509)}`);
    await other.untilText('HTTP/1.1 200');
    for (const client of [...greedy, other]) client.destroy();
  });
});
