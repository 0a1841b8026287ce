import { expect } from 'chai';
import { AMBIGUOUS_HEADERS, FRAMED_BODY as CHAT } from '../support/hostile-heads.ts';
import { openFront } from '../support/open-front.ts';
import type { Front } from '../support/open-front.ts';
import { exchangeRaw, head, openRawClient } from '../support/raw-client.ts';

describe('security: headers that could be read in two ways', () => {
  let front: Front;

  before(async () => {
    front = await openFront();
  });

  after(async () => {
    await front.close();
  });

  for (const headers of AMBIGUOUS_HEADERS) {
    it(`${JSON.stringify(headers)} is refused, and the socket closed`, async () => {
      const lines = ['POST /api/chat HTTP/1.1', 'Host: gateway', ...headers];
      const client = await exchangeRaw(front.port, lines, CHAT);
      expect(client.status).to.equal(400);
      expect(client.text).to.match(/\r\nconnection: close\r\n/i);
      expect(client.text).to.match(/\r\nrequest-id: [0-9a-f-]{36}\r\n/);
      expect(JSON.parse(client.body)).to.have.keys('error');
    });
  }

  it('none of them came to a body', () => {
    expect(front.calls).to.deep.equal([]);
  });

  it('a hundred headers pass, one more is 431', async () => {
    const extra = Array.from({ length: 98 }, (_, index) => `X-N${index}: 1`);
    const full = await exchangeRaw(front.port, head('GET /healthz', ...extra));
    expect(full.status).to.equal(200);
    const over = await exchangeRaw(front.port, head('GET /healthz', ...extra, 'X-More: 1'));
    expect(over.status).to.equal(431);
  });

  it('two thousand small headers do not hide the one that counts', async () => {
    const extra = Array.from({ length: 2_000 }, () => 'a:1');
    const client = await exchangeRaw(front.port, head('GET /healthz', ...extra));
    expect(client.status).to.equal(431);
  });

  it('a head above 16 KiB is 431 in our own shape', async () => {
    const client = await exchangeRaw(
      front.port,
      head('GET /v1/x', `X-Large: ${'x'.repeat(17_000)}`),
    );
    expect(client.status).to.equal(431);
    expect(JSON.parse(client.body)).to.deep.equal({ error: 'The request head is too large' });
  });

  it('HTTP/1.1 without Host is refused, HTTP/1.0 needs none', async () => {
    const without = await exchangeRaw(front.port, ['GET /healthz HTTP/1.1']);
    expect(without.status).to.equal(400);
    expect(without.text).to.match(/\r\nrequest-id: /);
    const old = await exchangeRaw(front.port, ['GET /healthz HTTP/1.0']);
    expect(old.status).to.equal(200);
  });

  it('HTTP/1.0 with Transfer-Encoding is refused', async () => {
    const lines = ['POST /api/chat HTTP/1.0', 'Transfer-Encoding: chunked'];
    const client = await exchangeRaw(front.port, lines, '0\r\n\r\n');
    expect(client.status).to.equal(400);
  });

  it('a body on GET or HEAD is refused, an empty one is none', async () => {
    for (const method of ['GET', 'HEAD']) {
      const lines = [`${method} /api/tags HTTP/1.1`, 'Host: gateway', 'Content-Length: 3'];
      const client = await exchangeRaw(front.port, lines, 'abc');
      expect(client.status).to.equal(400);
    }
    const empty = await exchangeRaw(front.port, head('GET /healthz', 'Content-Length: 0'));
    expect(empty.status).to.equal(200);
  });

  it('CONNECT is refused and its socket closed', async () => {
    const client = await exchangeRaw(front.port, [
      'CONNECT upstream:443 HTTP/1.1',
      'Host: gateway',
    ]);
    expect(client.status).to.equal(400);
    expect(JSON.parse(client.body)).to.deep.equal({ error: 'CONNECT is not supported' });
  });

  it('what is not HTTP at all is refused', async () => {
    const client = await openRawClient(front.port);
    client.send('\u0016\u0003\u0001 hello\r\n\r\n');
    await client.untilClosed();
    expect(client.status).to.equal(400);
  });

  it('a refusal of the framing has the shape of the dialect', async () => {
    const lines = ['POST /v1/chat/completions HTTP/1.1', 'Host: a', 'Host: b'];
    const client = await exchangeRaw(front.port, lines);
    expect(JSON.parse(client.body)).to.deep.equal({
      error: {
        message: 'The header host is given twice',
        type: 'invalid_request_error',
        param: null,
        code: 'invalid_request',
      },
    });
  });
});
