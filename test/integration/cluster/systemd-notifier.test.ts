import { expect } from 'chai';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { openSystemdNotifier } from '../../../lib/cluster/systemd-notifier.ts';
import type { ServiceNotifier } from '../../../lib/cluster/systemd-notifier.ts';
import type { Environment } from '../../../lib/config/read-sources.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { makeFakeSystemdNotify } from '../../support/fake-systemd-notify.ts';
import { recordLog } from '../../support/record-log.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';
import { until } from '../../support/until.ts';

/** Prints every datagram that comes, on one line. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    print(s.recv(4096).decode().replace('\\n', ' '), flush=True)
`;

describe('cluster/systemd-notifier', function () {
  this.timeout(20_000);
  let directory: TemporaryDirectory;
  let alive: boolean;
  const opened: ServiceNotifier[] = [];

  beforeEach(async () => {
    directory = await makeTemporaryDirectory('notify');
    alive = true;
  });
  afterEach(async () => {
    for (const notifier of opened.splice(0)) await notifier.close();
    await directory.remove();
  });

  function open(environment: Environment): ServiceNotifier & {
    readonly lines: ReturnType<typeof recordLog>['lines'];
  } {
    const { log, lines } = recordLog();
    const notifier = openSystemdNotifier({
      environment,
      clock: systemClock,
      log,
      isAlive: () => alive,
    });
    opened.push(notifier);
    return Object.assign(notifier, { lines });
  }

  it('says state and status in one message, each once', async () => {
    const fake = makeFakeSystemdNotify(directory.path);
    const notifier = open(fake.environment);
    notifier.ready();
    notifier.status('two workers');
    notifier.ready();
    notifier.status('two workers');
    await until(() => fake.said().length > 0, { withinMs: 5_000, what: 'a message' });
    notifier.reloading();
    await until(() => fake.said().length > 1, { withinMs: 5_000, what: 'another' });
    notifier.ready();
    await until(() => fake.said().length > 2, { withinMs: 5_000, what: 'a third' });
    notifier.stopping();
    notifier.ready();
    await notifier.close();
    const [first, second, ...rest] = fake.said();
    expect(first).to.equal('READY=1 STATUS=two workers');
    expect(second).to.match(/^RELOADING=1 MONOTONIC_USEC=\d+$/);
    expect(rest).to.deep.equal(['READY=1', 'STOPPING=1 STATUS=stopping']);
    expect(notifier.lines).to.deep.equal([]);
  });

  it('gives signs of life twice in the period, and only while all is well', async () => {
    const fake = makeFakeSystemdNotify(directory.path);
    const signs = () => fake.said().filter((line) => line === 'WATCHDOG=1').length;
    const notifier = open({ ...fake.environment, WATCHDOG_USEC: '200000' });
    notifier.ready();
    await until(() => signs() >= 2, { withinMs: 5_000, what: 'two signs of life' });
    alive = false;
    notifier.status('no worker');
    await until(() => fake.said().includes('STATUS=no worker'), {
      withinMs: 5_000,
      what: 'what was waiting to be said',
    });
    const before = signs();
    const quietMs = systemClock.monotonicMs() + 500;
    await until(() => systemClock.monotonicMs() > quietMs, { withinMs: 2_000, what: 'periods' });
    expect(signs()).to.equal(before);
    alive = true;
    await until(() => signs() > before, { withinMs: 5_000, what: 'another sign of life' });
  });

  it('never runs the program twice at once, and says the newest when it is free', async () => {
    const fake = makeFakeSystemdNotify(
      directory.path,
      'sleep 0.3; echo end >> "$NOTIFY_SOCKET.said"',
    );
    const notifier = open(fake.environment);
    notifier.status('0');
    await until(() => fake.said().length > 0, { withinMs: 5_000, what: 'the first call' });
    for (let n = 1; n <= 100; n += 1) notifier.status(String(n));
    await until(() => fake.said().length >= 4, { withinMs: 5_000, what: 'the second call' });
    expect(fake.said()).to.deep.equal(['STATUS=0', 'end', 'STATUS=100', 'end']);
  });

  it('does not wait for a program that hangs', async () => {
    const fake = makeFakeSystemdNotify(directory.path, 'exec sleep 60');
    const notifier = open(fake.environment);
    notifier.status('one');
    const beganAtMs = systemClock.monotonicMs();
    await notifier.close();
    expect(systemClock.monotonicMs() - beganAtMs).to.be.below(3_000);
    notifier.status('two');
    await until(() => fake.said().length === 2, { withinMs: 8_000, what: 'the next call' });
    expect(notifier.lines.map(({ event }) => event)).to.deep.equal(['service_manager_not_told']);
    expect(notifier.lines[0]).to.include({ signal: 'SIGKILL' });
  });

  it('says once in the log that there is no such program, and goes on', async () => {
    const notifier = open({ PATH: directory.path, NOTIFY_SOCKET: '/nowhere' });
    notifier.ready();
    await until(() => notifier.lines.length > 0, { withinMs: 5_000, what: 'a line' });
    notifier.status('more');
    await notifier.close();
    expect(notifier.lines).to.have.length(1);
    expect(notifier.lines[0]).to.include({ level: 'warn', 'error.code': 'ENOENT' });
  });

  it('says once in the log that the program cannot be run just now, and tries again', async () => {
    const fake = makeFakeSystemdNotify(directory.path);
    const notifier = open(fake.environment);
    // A program that is being written cannot be started (ETXTBSY).
    const writer = openSync(join(directory.path, 'systemd-notify'), 'r+');
    try {
      notifier.status('one');
      await until(() => notifier.lines.length > 0, { withinMs: 5_000, what: 'a line' });
      notifier.status('two');
    } finally {
      closeSync(writer);
    }
    notifier.status('three');
    await until(() => fake.said().includes('STATUS=three'), { withinMs: 5_000, what: 'the third' });
    expect(notifier.lines).to.have.length(1);
    expect(notifier.lines[0]).to.include({ level: 'warn', 'error.code': 'ETXTBSY' });
  });

  it('gives no sign of life any more once it has said that it stops', async () => {
    const fake = makeFakeSystemdNotify(directory.path);
    const notifier = open({ ...fake.environment, WATCHDOG_USEC: '50000' });
    notifier.stopping();
    notifier.ready();
    const quietMs = systemClock.monotonicMs() + 500;
    await until(() => systemClock.monotonicMs() > quietMs, { withinMs: 2_000, what: 'periods' });
    expect(fake.said()).to.deep.equal(['STOPPING=1 STATUS=stopping']);
  });

  it('does nothing where no service manager asks', async () => {
    const { PATH = '' } = makeFakeSystemdNotify(directory.path).environment;
    const notifier = open({ PATH, WATCHDOG_USEC: '100000' });
    notifier.ready();
    notifier.stopping();
    await notifier.close();
    expect(notifier.lines).to.deep.equal([]);
  });

  // The program itself, and a socket as systemd has it, where the machine has both.
  if (['systemd-notify', 'python3'].every(canRun)) {
    it('is understood by a datagram socket', async () => {
      const socket = `${directory.path}/notify`;
      const receiver = spawn('python3', ['-c', RECEIVER, socket], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let received = '';
      receiver.stdout.setEncoding('utf8').on('data', (text: string) => {
        received += text;
      });
      try {
        await until(() => received.includes('bound'), { withinMs: 5_000, what: 'the socket' });
        const notifier = open({ PATH: process.env['PATH'], NOTIFY_SOCKET: socket });
        notifier.ready();
        notifier.status('two workers');
        await until(() => received.includes('READY=1'), { withinMs: 5_000, what: 'a datagram' });
        expect(received).to.include('READY=1 STATUS=two workers');
        await notifier.close();
        expect(notifier.lines).to.deep.equal([]);
      } finally {
        receiver.kill('SIGKILL');
        await once(receiver, 'exit');
      }
    });
  }
});

function canRun(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}
