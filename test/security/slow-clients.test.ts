import { expect } from 'chai';
import { openFront } from '../support/open-front.ts';
import type { Front } from '../support/open-front.ts';
import { openRawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const POST = 'POST /api/chat HTTP/1.1\r\nHost: gateway\r\n';

describe('security: clients that send slowly', () => {
  let front: Front;

  beforeEach(async () => {
    front = await openFront({ settings: { headersTimeoutSeconds: 1, bodyTimeoutSeconds: 1 } });
  });

  afterEach(async () => {
    await front.close();
  });

  it('a head that does not end is 408', async () => {
    const client = await openRawClient(front.port);
    client.send('GET /healthz HTTP/1.1\r\nHost: gate');
    await client.untilClosed(4_000);
    expect(client.status).to.equal(408);
    expect(client.text).to.match(/\r\nrequest-id: [0-9a-f-]{36}\r\n/);
    expect(front.exchanges).to.deep.equal([]);
  });

  it('a body that does not end is 408, and its memory is given back', async () => {
    const client = await openRawClient(front.port);
    client.send(`${POST}Content-Length: 100\r\n\r\n{`);
    await client.untilClosed(4_000);
    expect(client.status).to.equal(408);
    expect(client.text).to.match(/\r\nconnection: close\r\n/);
    expect(front.reader.heldBytes).to.equal(0);
  });

  it('a client that leaves in the middle of its body is noticed at once', async () => {
    const client = await openRawClient(front.port);
    client.send(`${POST}Content-Length: 100\r\n\r\n{`);
    await until(() => front.reader.heldBytes > 0, { withinMs: 900, what: 'the reading' });
    client.destroy();
    await until(() => front.reader.heldBytes === 0, { withinMs: 900, what: 'the memory back' });
    expect(front.exchanges[0]?.gone.aborted).to.equal(true);
    await front.exchanges[0]?.closed;
    expect(front.refusals.map(({ code }) => code)).to.deep.equal(['invalid_request']);
  });

  it('chunks that are no chunks end in one refusal', async () => {
    const client = await openRawClient(front.port);
    client.send(`${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`);
    await client.untilClosed();
    expect(client.status).to.equal(400);
    expect(client.text.match(/^HTTP\/1\.1 \d/gm)).to.have.length(1);
  });

  it('a client that waits for it is asked for its body only when it is read', async () => {
    const client = await openRawClient(front.port);
    client.send(`${POST}Content-Length: 13\r\nExpect: 100-Continue\r\n\r\n`);
    await client.untilText('HTTP/1.1 100 Continue');
    client.send('{"model":"m"}');
    await client.untilText('HTTP/1.1 200');
  });
});
