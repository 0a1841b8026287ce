import { expect } from 'chai';
import {
  PoolFullError,
  TaskTimeoutError,
  openThreadPool,
} from '../../../lib/threads/thread-pool.ts';
import type { ThreadPool } from '../../../lib/threads/thread-pool.ts';
import { ROOT } from '../../../lib/root.ts';
import { openFront } from '../../support/open-front.ts';
import type { Front } from '../../support/open-front.ts';
import { exchangeRaw, head, openRawClient, postRaw } from '../../support/raw-client.ts';

function chat(bytes: number, end = ''): string {
  return `{"model":"m","messages":[{"role":"user","content":"${'x'.repeat(bytes)}"}${end}]}`;
}

describe('http/read-call', () => {
  let front: Front;

  afterEach(async () => {
    await front.close();
  });

  it('a small body is rebuilt here, in one piece or chunked', async () => {
    front = await openFront();
    expect((await postRaw(front.port, '/api/chat', chat(10))).status).to.equal(200);
    const lines = head('POST /api/chat', 'Transfer-Encoding: Chunked');
    const chunked = await exchangeRaw(
      front.port,
      lines,
      '7\r\n{"model\r\n7\r\n":"cc"}\r\n0\r\n\r\n',
    );
    expect(chunked.status).to.equal(200);
    expect(front.calls.map(({ route, model }) => [route, model])).to.deep.equal([
      ['chat', 'm'],
      ['chat', 'cc'],
    ]);
    await Promise.all(front.exchanges.map(({ closed }) => closed));
    expect(front.reader.heldBytes).to.equal(0);
  });

  it('no body, an empty one and an empty chunked one are refused', async () => {
    front = await openFront();
    expect((await exchangeRaw(front.port, head('POST /api/chat'))).status).to.equal(400);
    expect((await postRaw(front.port, '/api/chat', '')).status).to.equal(400);
    const lines = head('POST /api/chat', 'Transfer-Encoding: chunked');
    expect((await exchangeRaw(front.port, lines, '0\r\n\r\n')).status).to.equal(400);
    expect(front.reader.heldBytes).to.equal(0);
  });

  it('a client that left before anyone read is told nothing, and waited for by nobody', async () => {
    front = await openFront({
      onExchange: async (exchange) => {
        await exchange.closed;
        await front.reader.readCall(exchange, 'chat', 'acme').catch((error: unknown) => {
          front.refusals.push(error as (typeof front.refusals)[number]);
        });
      },
    });
    const client = await openRawClient(front.port);
    client.send('POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{', '');
    client.socket.end();
    await client.untilClosed();
    expect(front.refusals.map(({ code }) => code)).to.deep.equal(['invalid_request']);
  });

  it('show takes model or the legacy name, in a small body', async () => {
    front = await openFront();
    const named = await postRaw(front.port, '/api/show', '{"name":"old"}');
    expect(named.body).to.equal('{"model":"old"}');
    const both = await postRaw(front.port, '/api/show', '{"name":"old","model":"new"}');
    expect(both.body).to.equal('{"model":"new"}');
    const large = await postRaw(front.port, '/api/show', `{"model":"m"}${' '.repeat(300_000)}`);
    expect(large.status).to.equal(413);
  });

  it('a full queue is 503, and the memory is given back', async () => {
    front = await openFront({ pool: { run: () => Promise.reject(new PoolFullError('full')) } });
    const client = await postRaw(front.port, '/api/chat', chat(300_000));
    expect(client.status).to.equal(503);
    expect(client.text).to.include('\r\nretry-after: 1\r\n');
    expect(front.reader.heldBytes).to.equal(0);
  });

  it('a thread that ends is 503, what its task throws is a bug and no matter of load', async () => {
    const entry = new URL('../../fixtures/threads/leaves.ts', import.meta.url);
    const pool = openThreadPool({ entry, maxQueue: 4 });
    try {
      front = await openFront({ pool });
      expect((await postRaw(front.port, '/api/chat', chat(300_000))).status).to.equal(503);
      const client = await postRaw(front.port, '/api/generate', chat(300_000));
      expect(client.text).to.equal('');
      expect(front.logged).to.have.length(1);
      expect(front.logged[0]).to.include({ 'error.type': 'RangeError' });
      expect(front.reader.heldBytes).to.equal(0);
    } finally {
      await pool.close();
    }
  });

  it('a thread without memory or time and a pool that closes are 503 too, an unknown end is not', async () => {
    const ends = [
      Object.assign(new Error('x'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }),
      Object.assign(new Error('pool is closed'), { name: 'AbortError' }),
      new TaskTimeoutError('too long'),
      'text',
    ];
    front = await openFront({
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as a thread may
      pool: { run: () => Promise.reject(ends.shift()) },
    });
    const seen = [];
    for (let round = 0; round < 4; round += 1) {
      seen.push((await postRaw(front.port, '/api/chat', chat(300_000))).status);
    }
    expect(seen.slice(0, 3)).to.deep.equal([503, 503, 503]);
    expect(front.logged).to.deep.equal([
      { 'error.type': 'string', id: front.exchanges[3]?.admissionId },
    ]);
  });

  describe('on a thread', () => {
    let pool: ThreadPool;

    before(() => {
      pool = openThreadPool({ entry: new URL('workers/bodies.ts', ROOT), maxQueue: 4 });
    });

    after(async () => {
      await pool.close();
    });

    it('a large body comes back as the same call as a small one would', async () => {
      front = await openFront({ pool });
      expect((await postRaw(front.port, '/api/chat', chat(300_000))).status).to.equal(200);
      const [call] = front.calls;
      expect(call).to.include({ route: 'chat', model: 'm', streamed: true, idle: null });
      expect(call?.measure.textBytes).to.equal(300_004);
      expect(Buffer.from(call?.members.bytes ?? []).toString()).to.match(
        /^"messages":\[\{"role":"user"/,
      );
    });

    it('a refusal comes back as the refusal it was', async () => {
      front = await openFront({ pool });
      const client = await postRaw(front.port, '/api/chat', chat(300_000, ',5'));
      expect(client.status).to.equal(400);
      expect(client.body).to.equal('{"error":"messages[1] must be an object"}');
      expect(front.refusals[0]?.details).to.deep.equal({ param: 'messages[1]' });
    });
  });
});
