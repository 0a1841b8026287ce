import { expect } from 'chai';
import type { Child } from '../../../lib/cluster/child.ts';
import { Supervisor } from '../../../lib/cluster/supervisor.ts';
import { loadSettings } from '../../../lib/config/load-settings.ts';
import type { SettingsInForce } from '../../../lib/config/load-settings.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { isRunning } from '../../support/is-running.ts';
import { NO_FORKS } from '../../support/no-more-forks.ts';
import { PLAIN_WORKER, setManner } from '../../support/plain-workers.ts';
import { recordLog } from '../../support/record-log.ts';
import type { RecordedLine } from '../../support/record-log.ts';
import { until } from '../../support/until.ts';

const MARGIN_MS = 5_000;
const LATE_MS = 3_000;

function makeSettings(): SettingsInForce {
  const { settings, texts } = loadSettings({
    DATABASE_URL: 'postgresql:///gateway',
    REDIS_URL: 'unix:///run/redis.sock',
    OLLAMA_URL: 'http://127.0.0.1:11434',
    NZGW_KEY_PEPPER: 'p'.repeat(32),
    NZGW_WORKERS: '1',
  });
  return { settings, texts };
}

describe('cluster/supervisor', function () {
  this.timeout(40_000);
  let supervisor: Supervisor;
  let lines: readonly RecordedLine[];
  let listening: Child[];
  let stopped: boolean;

  beforeEach(() => {
    const recorded = recordLog();
    ({ lines } = recorded);
    listening = [];
    stopped = false;
    supervisor = new Supervisor({
      entry: PLAIN_WORKER,
      settings: makeSettings(),
      clock: systemClock,
      log: recorded.log,
      greet: ({ incarnation, settings }) => ({
        type: 'start',
        sharedPath: '',
        shards: 1,
        incarnation,
        settings: settings.texts,
        primaryPid: process.pid,
        ready: true,
      }),
      onMessage: (child, message) => {
        if (message.type === 'listening') listening.push(child);
      },
      onExit: () => undefined,
      onCrashLoop: () => undefined,
    });
  });
  afterEach(async () => {
    if (!stopped) await supervisor.stop(0);
    setManner();
  });

  function stop(graceMs: number): Promise<boolean> {
    stopped = true;
    return supervisor.stop(graceMs);
  }

  async function startOne(): Promise<Child> {
    supervisor.start();
    return untilListening(1);
  }

  async function untilListening(count: number): Promise<Child> {
    const child = await until(() => listening[count - 1], {
      withinMs: 15_000,
      what: `${count} workers to listen`,
    });
    return child;
  }

  const pidOf = ({ worker }: Child): number => worker.process.pid ?? 0;

  it('says that it lives until the last worker has ended, or they would end it', async () => {
    setManner('hears');
    const child = await startOne();
    const beganAtMs = systemClock.monotonicMs();
    expect(await stop(10_000)).to.equal(true);
    expect(systemClock.monotonicMs() - beganAtMs).to.be.below(10_000);
    expect(isRunning(pidOf(child))).to.equal(false);
  });

  it('kills at the end what outstays the grace and 5 s, and says that it has', async () => {
    setManner('deaf');
    const child = await startOne();
    const beganAtMs = systemClock.monotonicMs();
    expect(await stop(100)).to.equal(false);
    const tookMs = systemClock.monotonicMs() - beganAtMs;
    expect(tookMs).to.be.within(MARGIN_MS + 90, MARGIN_MS + 100 + LATE_MS);
    const fields = { worker_pid: pidOf(child), code: null, signal: 'SIGKILL' };
    expect(lines.find(({ event }) => event === 'worker_exit')).to.include(fields);
  });

  it('says so too where a worker has lost entries', async () => {
    setManner('loses');
    await startOne();
    expect(await stop(1_000)).to.equal(false);
  });

  it('kills a replaced worker that outstays the grace and 5 s', async () => {
    setManner('deaf');
    const old = await startOne();
    setManner();
    const fresh = supervisor.forkOnTrial(makeSettings());
    if (!fresh) throw new Error('no worker was started');
    expect(await fresh.listens.promise).to.equal(true);
    expect(supervisor.takeOver(fresh)).to.equal(old);
    const beganAtMs = systemClock.monotonicMs();
    await supervisor.retire(old, 100);
    const tookMs = systemClock.monotonicMs() - beganAtMs;
    expect(tookMs).to.be.within(MARGIN_MS + 90, MARGIN_MS + 100 + LATE_MS);
    expect([old, fresh].map(pidOf).map(isRunning)).to.deep.equal([false, true]);
    expect(lines.filter(({ event }) => event === 'worker_exit')).to.deep.equal([]);
    expect(lines.filter(({ event }) => event === 'worker_silent')).to.deep.equal([]);
  });

  it('starts no worker on trial any more once it stops', async () => {
    setManner('hears');
    await startOne();
    const stopping = stop(10_000);
    expect(supervisor.forkOnTrial(makeSettings())).to.equal(undefined);
    await stopping;
    expect(listening).to.have.length(1);
  });

  for (const [code, begin] of Object.entries(NO_FORKS)) {
    it(`goes on where no process can be started (${code}), and tries again`, async () => {
      const old = await startOne();
      const end = begin();
      try {
        expect(supervisor.forkOnTrial(makeSettings())).to.equal(undefined);
      } finally {
        end();
      }
      await until(() => lines.some(({ event }) => event === 'fork_failed'), {
        withinMs: 1_000,
        what: 'a line in the log',
      });
      expect(lines[0]).to.include({ event: 'fork_failed', 'error.code': code });
      expect(isRunning(pidOf(old))).to.equal(true);

      process.kill(pidOf(old), 'SIGKILL');
      await until(() => lines.some(({ event }) => event === 'worker_exit'), {
        withinMs: 5_000,
        what: 'its end',
      });
      const endAgain = begin();
      try {
        await until(() => lines.filter(({ event }) => event === 'fork_failed').length > 1, {
          withinMs: 5_000,
          what: 'another failure',
        });
      } finally {
        endAgain();
      }
      await untilListening(2);
    });
  }
});
