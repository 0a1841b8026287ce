import { expect } from 'chai';
import { makeFakeSystemdNotify } from '../support/fake-systemd-notify.ts';
import type { FakeSystemdNotify } from '../support/fake-systemd-notify.ts';
import { startStack } from '../support/stack.ts';
import type { Stack } from '../support/stack.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';
import { listWorkers } from '../support/worker-client.ts';

describe('e2e: what systemd is told', function () {
  this.timeout(60_000);
  let directory: TemporaryDirectory;
  let systemd: FakeSystemdNotify;
  let stack: Stack;

  beforeEach(async () => {
    directory = await makeTemporaryDirectory('systemd');
    systemd = makeFakeSystemdNotify(directory.path);
    stack = await startStack({ env: { ...systemd.environment, WATCHDOG_USEC: '1000000' } });
  });
  afterEach(async () => {
    await stack.stop();
    await directory.remove();
  });

  function untilSaid(what: RegExp, from = 0): Promise<string> {
    return until(
      () =>
        systemd
          .said()
          .slice(from)
          .find((line) => what.test(line)),
      {
        withinMs: 20_000,
        what: String(what),
      },
    );
  }

  it('that it starts, is ready, lives, is reloaded, and stops', async () => {
    await untilSaid(/STATUS=ready: 2 workers listen/);
    await untilSaid(/WATCHDOG=1/);
    const ready = systemd.said().findIndex((line) => line.includes('READY=1'));
    expect(systemd.said()[0]).to.equal('STATUS=waiting for Postgres and Redis');
    const before = systemd.said().slice(0, ready).join();
    expect(before).to.not.include('WATCHDOG');

    const from = systemd.said().length;
    stack.gateway.kill('SIGHUP');
    await untilSaid(/RELOADING=1 MONOTONIC_USEC=\d+/, from);
    await until(() => stack.gateway.events('reloaded').length > 0, {
      withinMs: 30_000,
      what: 'the reload',
    });
    await untilSaid(/READY=1/, from);
    const since = systemd.said().slice(from);
    expect(since.findIndex((line) => line.includes('READY=1'))).to.be.above(
      since.findIndex((line) => line.includes('RELOADING=1')),
    );

    await stack.gateway.stop();
    await untilSaid(/STOPPING=1 STATUS=stopping/);
    const said = systemd.said();
    expect(said.findLastIndex((line) => /READY=1|WATCHDOG=1/.test(line))).to.be.below(
      said.findIndex((line) => line.includes('STOPPING=1')),
    );
    expect(stack.gateway.events('service_manager_not_told')).to.deep.equal([]);
  });

  it('what is missing, and when it is back', async () => {
    const from = systemd.said().length;
    stack.redis.signal('SIGSTOP');
    try {
      await untilSaid(/STATUS=not ready \([a-z, ]*redis[a-z, ]*\): 2 workers listen/, from);
    } finally {
      stack.redis.signal('SIGCONT');
    }
    await untilSaid(/STATUS=ready: 2 workers listen/, from);
  });

  it('how many workers are left when one dies', async () => {
    await untilSaid(/STATUS=ready: 2 workers listen/);
    const from = systemd.said().length;
    process.kill(listWorkers(stack.gateway)[0] ?? 0, 'SIGKILL');
    await untilSaid(/1 worker listens/, from);
    await untilSaid(/2 workers listen/, from);
  });
});
