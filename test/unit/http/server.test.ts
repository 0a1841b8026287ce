import { expect } from 'chai';
import { sendText } from '../../../lib/http/reply.ts';
import { openFront } from '../../support/open-front.ts';
import type { Front } from '../../support/open-front.ts';
import { exchangeRaw, head, openRawClient } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

describe('http/server', () => {
  let front: Front;

  afterEach(async () => {
    await front.close();
  });

  it('a request that fails unseen costs its socket and is logged without its message', async () => {
    front = await openFront({
      onExchange: () => Promise.reject(new TypeError('a secret')),
    });
    const client = await exchangeRaw(front.port, head('GET /'));
    expect(client.text).to.equal('');
    expect(front.logged).to.have.length(1);
    expect(front.logged[0]).to.include({ 'error.type': 'TypeError' });
    expect(JSON.stringify(front.logged)).to.not.include('secret');
  });

  it('tells who is there, by the proxy it trusts', async () => {
    front = await openFront();
    await exchangeRaw(front.port, head('GET /', 'X-Forwarded-For: 203.0.113.9'));
    await exchangeRaw(front.port, head('GET /'));
    expect(front.exchanges.map(({ clientAddress }) => clientAddress)).to.deep.equal([
      '203.0.113.9',
      '127.0.0.1',
    ]);
  });

  it('a connection serves many requests in turn, each with an id of its own', async () => {
    front = await openFront();
    const client = await openRawClient(front.port);
    for (let count = 1; count <= 3; count += 1) {
      client.send('GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n');
      await until(() => client.text.split('healthz').length === count + 1, {
        withinMs: 2_000,
        what: `answer ${count}`,
      });
    }
    expect(new Set(front.exchanges.map(({ admissionId }) => admissionId)).size).to.equal(3);
    client.destroy();
  });

  it('a small body that nobody reads does not cost the connection', async () => {
    front = await openFront({
      onExchange: async (exchange) => {
        await until(() => exchange.request.complete, { withinMs: 1_000, what: 'the body' });
        sendText(exchange, 200, 'unread;');
      },
    });
    const client = await openRawClient(front.port);
    client.send('POST /x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 3\r\n\r\nabc');
    await client.untilText('unread;');
    expect(client.text).to.not.match(/connection: close/i);
    client.send('POST /x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 3\r\n\r\nabc');
    await until(() => client.text.split('unread;').length === 3, {
      withinMs: 2_000,
      what: 'the second answer',
    });
    client.destroy();
  });

  it('a client that leaves before its answer fires the signal, also for who asks late', async () => {
    front = await openFront({ onExchange: ({ closed }) => closed });
    const client = await openRawClient(front.port);
    client.send('GET / HTTP/1.1\r\nHost: gateway\r\n\r\n');
    await until(() => front.exchanges.length === 1, { withinMs: 1_000, what: 'the exchange' });
    const [exchange] = front.exchanges;
    const early = exchange?.gone;
    expect(early?.aborted).to.equal(false);
    client.destroy();
    await exchange?.closed;
    expect(early?.aborted).to.equal(true);
    expect(exchange?.gone).to.equal(early);
  });

  it('garbage after a reply has begun ends the connection, not in a second response', async () => {
    front = await openFront({
      onExchange: async ({ response, closed }) => {
        response.writeHead(200);
        response.write('begun');
        await closed;
      },
    });
    const client = await openRawClient(front.port);
    client.send('GET / HTTP/1.1\r\nHost: gateway\r\n\r\n');
    await client.untilText('begun');
    client.send('garbage\r\n\r\n');
    await client.untilClosed();
    expect(client.text.match(/^HTTP\/1\.1 \d/gm)).to.have.length(1);
  });
});
