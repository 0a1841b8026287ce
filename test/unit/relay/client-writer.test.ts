import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { ClientWriter } from '../../../lib/relay/client-writer.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import type { Tally } from '../../../lib/upstream/tally.ts';
import { until } from '../../support/until.ts';

/** A peer that takes so many writes and then none. */
class StuckSocket extends Socket {
  readonly written: Buffer[] = [];
  #left: number;

  constructor(writes: number) {
    super();
    this.#left = writes;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#left -= 1;
    if (this.#left < 0) return;
    this.written.push(chunk);
    done();
  }

  override _writev(chunks: { chunk: Buffer; encoding: string }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => Buffer.from(chunk))), '', done);
  }
}

describe('relay/client-writer', () => {
  let stuck: number;
  let free: number;
  let tally: Tally;

  beforeEach(() => {
    stuck = 0;
    free = 0;
    tally = startTally();
  });

  function open(writes: number): { writer: ClientWriter; socket: StuckSocket } {
    const socket = new StuckSocket(writes);
    const response = new ServerResponse(new IncomingMessage(socket));
    response.assignSocket(socket);
    response.writeHead(200, ['content-length', '2000000']);
    const writer = new ClientWriter({
      response,
      tally,
      readerTimeoutMs: 50,
      onFree: () => (free += 1),
      onStuck: () => (stuck += 1),
    });
    return { writer, socket };
  }

  it('writes what came in one turn at once', async () => {
    const { writer, socket } = open(10);
    writer.push(Buffer.from('a\n'));
    writer.push(Buffer.from('b\n'));
    await until(() => tally.bytesOut, { withinMs: 1_000, what: 'the write' });
    expect(socket.written.at(-1)?.toString()).to.match(/a\nb\n$/);
    expect(tally.bytesOut).to.equal(4);
    writer.close();
  });

  it('is blocked by a reader that is behind, and stuck when it stays so', async () => {
    const { writer } = open(0);
    writer.push(Buffer.alloc(300_000));
    await until(() => writer.blocked, { withinMs: 1_000, what: 'the block' });
    expect(tally.bytesOut).to.equal(262_144);
    writer.push(Buffer.from('more'));
    writer.end();
    await until(() => stuck, { withinMs: 1_000, what: 'the timeout' });
    expect(free).to.equal(0);
    writer.close();
  });

  it('waits for the end to be taken too, but not for ever', async () => {
    const { writer } = open(0);
    writer.push(Buffer.from('the end'));
    writer.end();
    await until(() => stuck, { withinMs: 1_000, what: 'the timeout' });
    expect(tally.bytesOut).to.equal(7);
  });

  it('waits for nobody once it was closed', async () => {
    const { writer: closed } = open(0);
    closed.push(Buffer.from('a'));
    await until(() => tally.bytesOut, { withinMs: 1_000, what: 'the write' });
    closed.end();
    closed.close();
    const { writer: later } = open(0);
    later.push(Buffer.from('b'));
    later.end();
    await until(() => stuck, { withinMs: 1_000, what: 'the later one’s timeout' });
    expect(stuck).to.equal(1);
  });
});
