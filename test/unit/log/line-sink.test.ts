import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openLineSink, openWithoutBlocking } from '../../../lib/log/line-sink.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { ROOT } from '../../../lib/root.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

const REPEAT_LINES = fileURLToPath(new URL('test/fixtures/log/repeat-lines.ts', ROOT));

/** A process that logs what it is told, its stdout led to a file. */
class Repeater {
  readonly #child: ChildProcess;
  #asked = 0;
  #said = '';

  constructor(path: string, before = '') {
    this.#child = spawn(
      'sh',
      ['-c', `${before} exec "$0" "$1" >> "$2"`, process.execPath, REPEAT_LINES, path],
      { stdio: ['pipe', 'ignore', 'pipe'] },
    );
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#said += chunk.toString();
    });
  }

  async say(...lines: readonly string[]): Promise<void> {
    this.#child.stdin?.write(lines.map((line) => `${line}\n`).join(''));
    this.#asked += lines.length;
    const all = 'said\n'.repeat(this.#asked);
    await until(() => this.#said === all, { withinMs: 10_000, what: 'all to be said' });
  }

  async end(): Promise<unknown> {
    this.#child.stdin?.end();
    const [code] = (await once(this.#child, 'exit')) as [unknown];
    return code;
  }
}

describe('log/line-sink', function () {
  this.timeout(20_000);
  let directory: TemporaryDirectory;
  before(async () => {
    directory = await makeTemporaryDirectory('log');
  });
  after(() => directory.remove());

  const makePipe = (name: string): { path: string; reader: number; writer: number } => {
    const path = join(directory.path, name);
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    return { path, reader, writer };
  };

  it('a full disk ends nobody, whatever is said, the last words included', async () => {
    const repeater = new Repeater('/dev/full');
    await repeater.say('one', 'two', 'fatal', 'three');
    expect(await repeater.end()).to.equal(0);
  });

  it('goes on where the disk has room again, in whole lines, and tells how many are missing', async () => {
    const path = join(directory.path, 'log');
    const repeater = new Repeater(path, 'ulimit -f 1;');
    await repeater.say('a'.repeat(300), 'b'.repeat(2_000), 'c'.repeat(300));
    truncateSync(path, 0);
    await repeater.say('d', 'e');
    expect(await repeater.end()).to.equal(0);

    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ msg }) => msg)).to.deep.equal(['d', 'log lines were lost', 'e']);
    expect(lines[1]).to.include({
      event: 'log_lines_lost',
      lost: 2,
      level: 'warn',
      process: 'test',
    });
  });

  it('waits for a full pipe and loses nothing', async () => {
    const { path, reader, writer } = makePipe('full');
    const page = Buffer.alloc(4_096, 0x2e);
    expect(() => {
      for (;;) writeSync(writer, page);
    }).to.throw('EAGAIN');
    const copy = join(directory.path, 'copy');
    const slow = spawn('sh', ['-c', 'exec cat "$0" > "$1"', path, copy], { stdio: 'ignore' });
    openLineSink(writer, () => expect.fail('nothing may be lost')).write(
      `${'x'.repeat(200_000)}\n`,
    );
    for (const fd of [reader, writer]) closeSync(fd);
    await once(slow, 'exit');
    const text = readFileSync(copy, 'utf8').replace(/^\.*/, '');
    expect(text === `${'x'.repeat(200_000)}\n`).to.equal(true);
  });

  it('a reader that hangs is waited for once, not for every line', () => {
    const told: number[] = [];
    const { reader, writer } = makePipe('hung');
    const page = Buffer.alloc(4_096, 0x2e);
    expect(() => {
      for (;;) writeSync(writer, page);
    }).to.throw('EAGAIN');
    const sink = openLineSink(writer, (lost) => told.push(lost));
    const startedMs = systemClock.monotonicMs();
    sink.write('one\n');
    const waitedMs = systemClock.monotonicMs() - startedMs;
    for (let n = 0; n < 100; n += 1) sink.write('more\n');
    expect(waitedMs).to.be.within(400, 3_000);
    expect(systemClock.monotonicMs() - startedMs - waitedMs).to.be.below(400);

    readSync(reader, Buffer.alloc(65_536));
    sink.write('last\n');
    expect(told).to.deep.equal([101]);
    for (const fd of [reader, writer]) closeSync(fd);
  });

  it('a blocking pipe is opened anew so that it cannot block; anything else stays as it is', () => {
    const { path, reader, writer } = makePipe('blocking');
    const blocking = openSync(path, constants.O_WRONLY);
    const own = openWithoutBlocking(blocking);
    expect(own).to.not.equal(blocking);
    const page = Buffer.alloc(4_096, 0x2e);
    expect(() => {
      for (;;) writeSync(own, page);
    }).to.throw('EAGAIN');
    const file = openSync(join(directory.path, 'plain'), 'w');
    expect(openWithoutBlocking(file)).to.equal(file);
    for (const fd of [reader, writer, blocking, own, file]) closeSync(fd);
    expect(openWithoutBlocking(file), 'a descriptor that is none').to.equal(file);
  });

  it('a reader that left costs the lines said meanwhile, and nothing else', () => {
    const told: number[] = [];
    const { path, reader, writer } = makePipe('left');
    const sink = openLineSink(writer, (lost) => told.push(lost));
    closeSync(reader);
    for (const line of ['one\n', 'two\n']) sink.write(line);
    const again = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    for (const line of ['three\n', 'four\n']) sink.write(line);

    const bytes = Buffer.alloc(100);
    expect(bytes.toString('utf8', 0, readSync(again, bytes))).to.equal('three\nfour\n');
    expect(told).to.deep.equal([2]);
    for (const fd of [again, writer]) closeSync(fd);
  });
});
