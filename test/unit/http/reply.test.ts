import { expect } from 'chai';
import { GatewayError } from '../../../lib/errors/gateway-error.ts';
import type { Exchange } from '../../../lib/http/exchange.ts';
import { sendEmpty, sendJson, sendRefusal, sendText } from '../../../lib/http/reply.ts';
import { openFront } from '../../support/open-front.ts';
import { exchangeRaw, head } from '../../support/raw-client.ts';
import type { RawClient } from '../../support/raw-client.ts';

type Act = (exchange: Exchange) => void;

async function ask(act: Act, ...lines: readonly string[]): Promise<RawClient> {
  const [line = 'GET /healthz', ...headers] = lines;
  const front = await openFront({
    onExchange: async (exchange) => {
      act(exchange);
      await exchange.closed;
    },
  });
  try {
    return await exchangeRaw(front.port, head(line, ...headers));
  } finally {
    await front.close();
  }
}

describe('http/reply', () => {
  it('every response tells both ids, and is not to be stored', async () => {
    const client = await ask((exchange) => {
      sendJson(exchange, 200, { a: 'é' }, ['x-more', '1']);
    });
    expect(client.status).to.equal(200);
    const id = /\r\nrequest-id: ([0-9a-f-]{36})\r\n/.exec(client.text)?.[1];
    expect(client.text).to.include(`\r\nx-request-id: ${String(id)}\r\n`);
    expect(client.text).to.include('\r\ncontent-type: application/json\r\n');
    expect(client.text).to.include('\r\ncontent-length: 10\r\n');
    expect(client.text).to.include('\r\ncache-control: no-store\r\n');
    expect(client.text).to.include('\r\nx-more: 1\r\n');
    expect(client.text).to.not.match(/x-powered-by|\r\nserver:/i);
  });

  it('the id of the client comes back as x-request-id if it is one', async () => {
    const answer: Act = (exchange) => {
      sendText(exchange, 200, 'ok');
    };
    const good = await ask(answer, 'GET /', 'X-Request-ID: my.request_1-2');
    expect(good.text).to.include('\r\nx-request-id: my.request_1-2\r\n');
    for (const id of [
      'short',
      'x'.repeat(65),
      'with blank',
      'twice-twice, twice-twice',
      'a\u00e9cccccc',
    ]) {
      const bad = await ask(answer, 'GET /', `X-Request-ID: ${id}`);
      expect(bad.text).to.match(/\r\nx-request-id: [0-9a-f-]{36}\r\n/);
    }
  });

  it('204 has neither body nor length, also where a body is still on its way', async () => {
    const answer: Act = (exchange) => {
      sendEmpty(exchange, ['x-more', '1']);
    };
    const plain = await ask(answer, 'OPTIONS /');
    const pending = await ask(answer, 'OPTIONS /', 'Content-Length: 10');
    for (const client of [plain, pending]) {
      expect(client.status).to.equal(204);
      expect(client.text).to.include('\r\nx-more: 1\r\n');
      expect(client.text).to.not.match(/content-length|transfer-encoding/i);
      expect(client.body).to.equal('');
    }
  });

  it('HEAD gets the same head and no body', async () => {
    const client = await ask((exchange) => {
      sendText(exchange, 200, 'Ollama is running');
    }, 'HEAD /');
    expect(client.text).to.include('\r\ncontent-length: 17\r\n');
    expect(client.body).to.equal('');
  });

  it('429 and 503 say when to come back, in whole seconds of at least one', async () => {
    for (const [retryAfterMs, seconds, milliseconds] of [
      [634, 1, 634],
      [60_001, 61, 60_001],
      [0, 1, 1],
      [undefined, 1, 1_000],
    ] as const) {
      const details = retryAfterMs === undefined ? {} : { retryAfterMs };
      const client = await ask((exchange) => {
        sendRefusal(exchange, new GatewayError('rate_limit_exceeded', 'wait', details));
      });
      expect(client.status).to.equal(429);
      expect(client.text).to.include(`\r\nretry-after: ${seconds}\r\n`);
      expect(client.text).to.include(`\r\nretry-after-ms: ${milliseconds}\r\n`);
      expect(client.text).to.not.include('x-should-retry');
    }
  });

  it('a spent budget tells SDKs not to try again', async () => {
    const client = await ask((exchange) => {
      sendRefusal(
        exchange,
        new GatewayError('insufficient_quota', 'spent', { retryAfterMs: 9_000 }),
      );
    });
    expect(client.text).to.include('\r\nx-should-retry: false\r\n');
    expect(client.text).to.include('\r\nretry-after: 9\r\n');
  });

  it('a wait that would not help is not told', async () => {
    const client = await ask((exchange) => {
      const details = { retryAfterMs: null, headers: ['x-budget-remaining-tokens', '0'] };
      sendRefusal(exchange, new GatewayError('insufficient_quota', 'spent', details));
    });
    expect(client.text).to.include('\r\nx-should-retry: false\r\n');
    expect(client.text).to.include('\r\nx-budget-remaining-tokens: 0\r\n');
    expect(client.text).to.not.include('retry-after');
  });

  it('a refusal has the shape of the dialect and the headers it is given', async () => {
    const refuse: Act = (exchange) => {
      const error = new GatewayError('invalid_request', 'top_k must be a number', {
        param: 'top_k',
      });
      sendRefusal(exchange, error, ['x-ratelimit-limit-requests', '5']);
    };
    const native = await ask(refuse, 'GET /api/x');
    expect(native.body).to.equal('{"error":"top_k must be a number"}');
    expect(native.text).to.include('\r\nx-ratelimit-limit-requests: 5\r\n');
    expect(native.text).to.not.include('retry-after');
    const openai = await ask(refuse, 'GET /v1/x');
    expect(JSON.parse(openai.body)).to.deep.equal({
      error: {
        message: 'top_k must be a number',
        type: 'invalid_request_error',
        param: 'top_k',
        code: 'invalid_request',
      },
    });
  });

  it('a second answer is not sent', async () => {
    const client = await ask((exchange) => {
      sendText(exchange, 200, 'first');
      sendText(exchange, 500, 'second');
      sendJson(exchange, 500, {});
    });
    expect(client.body).to.equal('first');
  });

  it('once the head has left a refusal can only destroy the connection', async () => {
    const client = await ask(({ response, ...exchange }) => {
      response.writeHead(200, ['content-length', '100']);
      response.write('part');
      response.write('more', () => {
        sendRefusal({ response, ...exchange }, new GatewayError('internal_error', 'x'));
      });
    });
    expect(client.body).to.equal('partmore');
  });
});
