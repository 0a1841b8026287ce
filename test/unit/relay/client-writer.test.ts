import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { ClientWriter } from '../../../lib/relay/client-writer.ts';
import { startTally } from '../../../lib/upstream/tally.ts';
import type { Tally } from '../../../lib/upstream/tally.ts';
import { until } from '../../support/until.ts';

interface Pace {
  /** Takes so many writes and then none. */
  readonly writes?: number;
  readonly bytesPerMs?: number;
  readonly msPerWrite?: number;
  /** Takes so many writes at once before that. */
  readonly fastWrites?: number;
}

/** A peer that takes what it is sent at its own pace. */
class SlowSocket extends Socket {
  readonly written: Buffer[] = [];
  takenBytes = 0;
  readonly #pace: Pace;
  #begun = 0;

  constructor(pace: Pace) {
    super();
    this.#pace = pace;
    // As a real socket tells it: what it was given, whether that has left or waits.
    Object.defineProperty(this, 'bytesWritten', {
      get: () => this.takenBytes + this.writableLength,
    });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const { writes = Infinity, bytesPerMs = Infinity, msPerWrite = 0, fastWrites = 0 } = this.#pace;
    this.#begun += 1;
    if (this.#begun > writes) return;
    const take = (): void => {
      this.written.push(chunk);
      this.takenBytes += chunk.length;
      done();
    };
    const ms = msPerWrite + chunk.length / bytesPerMs;
    if (ms === 0 || this.#begun <= fastWrites) take();
    else setTimeout(take, ms);
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

  function open(pace: Pace): { writer: ClientWriter; socket: SlowSocket } {
    const socket = new SlowSocket(pace);
    const response = new ServerResponse(new IncomingMessage(socket));
    response.assignSocket(socket);
    socket.on('drain', () => response.emit('drain'));
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
    const { writer, socket } = open({});
    writer.push(Buffer.from('a\n'));
    writer.push(Buffer.from('b\n'));
    await until(() => tally.bytesOut, { withinMs: 1_000, what: 'the write' });
    expect(socket.written.at(-1)?.toString()).to.match(/a\nb\n$/);
    expect(tally.bytesOut).to.equal(4);
    writer.close();
  });

  it('is blocked by a reader that is behind, and stuck when it stays so', async () => {
    const { writer } = open({ writes: 0 });
    writer.push(Buffer.alloc(300_000));
    await until(() => writer.blocked, { withinMs: 1_000, what: 'the block' });
    expect(tally.bytesOut).to.equal(65_536);
    writer.push(Buffer.from('more'));
    writer.end();
    await until(() => stuck, { withinMs: 1_000, what: 'the timeout' });
    expect(free).to.equal(0);
    writer.close();
  });

  it('waits on for a slow reader, however large the reply', async () => {
    const { writer, socket } = open({ bytesPerMs: 2_200 });
    writer.push(Buffer.alloc(600_000));
    writer.end();
    await until(() => socket.takenBytes > 600_000, { withinMs: 2_000, what: 'the whole' });
    expect(stuck).to.equal(0);
    writer.close();
  });

  it('sees a reader move that takes longer over one slice of a fast one', async () => {
    const { writer, socket } = open({ fastWrites: 2, bytesPerMs: 500 });
    writer.push(Buffer.alloc(200_000));
    writer.end();
    await until(() => socket.takenBytes > 200_000, { withinMs: 2_000, what: 'the whole' });
    expect(stuck).to.equal(0);
    expect(free).to.equal(0);
    writer.close();
  });

  it('waits for the end to be taken too, but not for ever', async () => {
    const { writer } = open({ writes: 0 });
    writer.push(Buffer.from('the end'));
    writer.end();
    await until(() => stuck, { withinMs: 1_000, what: 'the timeout' });
    expect(tally.bytesOut).to.equal(7);
  });

  it('waits on while what comes before the end is still being taken', async () => {
    const { writer, socket } = open({ msPerWrite: 35 });
    writer.push(Buffer.from('a'));
    await until(() => tally.bytesOut, { withinMs: 1_000, what: 'the write' });
    writer.push(Buffer.from('b'));
    writer.end();
    await until(() => socket.written.length === 2, { withinMs: 1_000, what: 'the end' });
    expect(stuck).to.equal(0);
    writer.close();
  });

  it('waits for nobody once it was closed', async () => {
    const { writer: closed } = open({ writes: 0 });
    closed.push(Buffer.from('a'));
    await until(() => tally.bytesOut, { withinMs: 1_000, what: 'the write' });
    closed.end();
    closed.close();
    const { writer: later } = open({ writes: 0 });
    later.push(Buffer.from('b'));
    later.end();
    await until(() => stuck, { withinMs: 1_000, what: 'the later one’s timeout' });
    expect(stuck).to.equal(1);
  });
});
