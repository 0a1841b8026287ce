import { expect } from 'chai';
import { checkLedger } from '../support/ledger-check.ts';
import { openRawClient } from '../support/raw-client.ts';
import type { RawClient } from '../support/raw-client.ts';
import { IN_FORCE_MS, readRevokedAt, REVOKED_LINE } from '../support/revoking.ts';
import { startStack } from '../support/stack.ts';
import type { MadeKey, Stack } from '../support/stack.ts';
import { until } from '../support/until.ts';

/** More than sockets hold, less than the gateway puts together, and a line alone takes seconds. */
const LINES = 14;
const TEXT = 'y'.repeat(1_000_000);
const READ_EVERY_MS = 20;
const READ_BYTES = 16_384;
/** When it has read so much, all that could be sent ahead of it was. */
const BEGUN_BYTES = 1_000_000;

describe('e2e: a key is revoked while a slow client reads', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async () => {
    stack = await startStack({ workers: 1, ollama: { always: { tokens: LINES, text: TEXT } } });
  });
  after(() => stack.stop());

  for (const stream of [true, false]) {
    it(`${stream ? 'its stream' : 'the reply put together for it'} ends within a second`, async () => {
      const caller = await stack.makeCaller();
      const client = await ask(caller, stream);
      const stopReading = readSlowly(client);
      await until(() => client.text.length > BEGUN_BYTES, {
        withinMs: 10_000,
        what: 'the reply',
      });
      await revoke(caller);
      const [row] = await stack.readAudit(caller.keyId, 1);
      stopReading();
      const revokedAtMs = await readRevokedAt(stack.database, caller);
      const endedAtMs = (row?.['admitted_at'] as Date).getTime() + Number(row?.['duration_ms']);
      expect(endedAtMs - revokedAtMs).to.be.at.most(IN_FORCE_MS);
      expect(row).to.include({ status: 200, outcome: 'revoked', streamed: stream });
      expect(stack.ollama.inFlight).to.equal(0);

      // What its side of the network had by then, and never the end.
      client.socket.resume();
      await client.untilClosed();
      expect(client.text.length).to.be.below((LINES * TEXT.length) / 2);
    });
  }

  it('a client that keeps up is told why', async () => {
    const caller = await stack.makeCaller();
    stack.ollama.next({ tokens: 1_000, paceMs: 50 });
    const client = await ask(caller, true);
    client.socket.resume();
    await client.untilText('"done":false');
    await revoke(caller);
    await client.untilClosed();
    expect(client.text).to.include(REVOKED_LINE);
    expect(client.text.endsWith('\r\n0\r\n\r\n'), 'the end of a whole response').to.equal(true);
    expect((await stack.readAudit(caller.keyId, 1))[0]).to.include({ outcome: 'revoked' });
  });

  it('leaves ledger, audit and Redis in agreement', () => checkLedger(stack));

  async function ask({ key }: MadeKey, stream: boolean): Promise<RawClient> {
    const client = await openRawClient(Number(new URL(stack.gateway.url).port));
    client.socket.pause();
    const messages = [{ role: 'user', content: 'hello' }];
    const body = JSON.stringify({ model: 'llama3', messages, stream });
    const head = [
      'POST /api/chat HTTP/1.1',
      'Host: gateway',
      'Connection: close',
      `Authorization: Bearer ${key}`,
      `Content-Length: ${body.length}`,
    ];
    client.send([...head, '', body].join('\r\n'));
    return client;
  }

  async function revoke({ keyId }: MadeKey): Promise<void> {
    await stack.database.query('insert into gateway.revocations (key_id) values ($1)', [keyId]);
  }
});

/** A little at a time, so that it is never stuck. Gives what stops that. */
function readSlowly({ socket }: RawClient): () => void {
  const timer = setInterval(() => {
    socket.read(Math.min(READ_BYTES, socket.readableLength));
  }, READ_EVERY_MS);
  return () => {
    clearInterval(timer);
  };
}
