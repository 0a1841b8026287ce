import { expect } from 'chai';
import { openFront } from '../support/open-front.ts';
import type { Front } from '../support/open-front.ts';
import { openRawClient } from '../support/raw-client.ts';
import { sendText } from '../../lib/http/reply.ts';
import { until } from '../support/until.ts';

const REQUEST = 'GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n';

describe('security: pipelined requests', () => {
  let front: Front;

  afterEach(async () => {
    await front.close();
  });

  it('a second request before the first was answered costs the socket', async () => {
    front = await openFront({ onExchange: ({ closed }) => closed });
    const client = await openRawClient(front.port);
    client.send(REQUEST.repeat(5));
    await client.untilClosed();
    expect(front.exchanges).to.have.length(1);
    expect(client.text).to.equal('');
    const [first] = front.exchanges;
    expect(first?.gone.aborted).to.equal(true);
    await first?.closed;
  });

  it('and so does one that comes later, while a reply is still running', async () => {
    front = await openFront({
      onExchange: async ({ response, closed }) => {
        response.writeHead(200);
        response.write('begun');
        await closed;
      },
    });
    const client = await openRawClient(front.port);
    client.send(REQUEST);
    await client.untilText('begun');
    client.send(REQUEST);
    await client.untilClosed();
    expect(front.exchanges).to.have.length(1);
  });

  it('once the response has been ended the next request is served, whatever else is pending', async () => {
    front = await openFront({
      onExchange: async (exchange) => {
        sendText(exchange, 200, `answer ${front.exchanges.length};`);
        await exchange.closed;
      },
    });
    const client = await openRawClient(front.port);
    client.send(REQUEST + REQUEST);
    await client.untilText('answer 2;');
    expect(client.closed).to.equal(false);
    client.destroy();
    await Promise.all(front.exchanges.map(({ closed }) => closed));
    expect(front.exchanges.map(({ gone }) => gone.aborted)).to.deep.equal([false, false]);
  });

  it('a response that waits behind one that cannot leave hears of the end of the socket', async () => {
    front = await openFront({
      onExchange: async (exchange) => {
        exchange.response.end(Buffer.alloc(64 * 1_048_576));
        await exchange.closed;
      },
    });
    const client = await openRawClient(front.port);
    client.socket.pause();
    client.send(REQUEST + REQUEST);
    await until(() => front.exchanges.length === 2, { withinMs: 3_000, what: 'both requests' });
    client.destroy();
    await Promise.all(front.exchanges.map(({ closed }) => closed));
    expect(front.exchanges[1]?.gone.aborted).to.equal(true);
  });
});
