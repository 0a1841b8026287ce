import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { PRIMARY_EXIT } from '../../../lib/cluster/primary.ts';
import type { PrimaryExit } from '../../../lib/cluster/primary.ts';
import { runPrimary } from '../../../lib/cluster/run-primary.ts';
import { loadSettings } from '../../../lib/config/load-settings.ts';
import { ROOT } from '../../../lib/root.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { makeFakeSystemdNotify } from '../../support/fake-systemd-notify.ts';
import { isRunning } from '../../support/is-running.ts';
import { PEPPER } from '../../support/launch-gateway.ts';
import { PLAIN_WORKER, setManner } from '../../support/plain-workers.ts';
import { recordLog } from '../../support/record-log.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import { makeDatabase } from '../../support/test-postgres.ts';
import { startTestRedis } from '../../support/test-redis.ts';
import { until } from '../../support/until.ts';

describe('cluster/primary', function () {
  this.timeout(30_000);

  it('a stop that came before the stores had answered ends it, and no worker is started', async () => {
    const [database, redis, runtime] = await Promise.all([
      makeDatabase(),
      startTestRedis(),
      makeTemporaryDirectory('run'),
    ]);
    const { settings, texts } = loadSettings({
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      OLLAMA_URL: 'http://127.0.0.1:9',
      NZGW_KEY_PEPPER: PEPPER,
      NZGW_ADMIN_PORT: '0',
      NZGW_ALLOW_VOLATILE_REDIS: 'true',
      RUNTIME_DIRECTORY: runtime.path,
    });
    const { log, lines } = recordLog();
    const exit = await runPrimary({
      settings,
      texts,
      environment: {},
      clock: systemClock,
      log,
      version: '1.2.3',
      workerEntry: new URL('workers/no-such-entry.ts', ROOT),
      onHangup: () => undefined,
      stop: AbortSignal.abort(),
    });
    expect(exit).to.equal(PRIMARY_EXIT.stopped);
    expect(lines.map(({ event }) => event)).to.not.include('worker_exit');
    expect(readdirSync(runtime.path)).to.deep.equal([]);
    await runtime.remove();
    await database.drop();
  });
});

/** A primary in this process, with workers that only it talks to. */
interface PrimaryWorld {
  readonly exit: Promise<PrimaryExit>;
  /** As SIGHUP does. */
  readonly reload: () => void;
  readonly said: () => readonly string[];
  /** How often this was logged. */
  readonly count: (event: string) => number;
  /** Workers that have listened, in that order. */
  readonly pids: () => readonly number[];
  readonly stop: () => Promise<PrimaryExit>;
  readonly remove: () => Promise<void>;
}

async function runWorld({ workers = 1, reloadAtOnce = false } = {}): Promise<PrimaryWorld> {
  const [database, redis, runtime] = await Promise.all([
    makeDatabase(),
    startTestRedis(),
    makeTemporaryDirectory('run'),
  ]);
  const systemd = makeFakeSystemdNotify(runtime.path);
  const environment = {
    ...systemd.environment,
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    OLLAMA_URL: 'http://127.0.0.1:9',
    NZGW_KEY_PEPPER: PEPPER,
    NZGW_ADMIN_PORT: '0',
    NZGW_WORKERS: String(workers),
    NZGW_ALLOW_VOLATILE_REDIS: 'true',
    RUNTIME_DIRECTORY: runtime.path,
  };
  const { settings, texts } = loadSettings(environment);
  const { log, lines } = recordLog();
  const stop = new AbortController();
  const hangups: (() => void)[] = [];
  const exit = runPrimary({
    settings,
    texts,
    environment,
    clock: systemClock,
    log,
    version: '1.2.3',
    workerEntry: PLAIN_WORKER,
    onHangup: (listener) => {
      hangups.push(listener);
      if (reloadAtOnce) listener();
    },
    stop: stop.signal,
  });
  const find = (event: string) => lines.filter((line) => line['event'] === event);
  const end = (): Promise<PrimaryExit> => {
    stop.abort();
    return exit;
  };
  return {
    exit,
    reload: () => {
      for (const listener of hangups) listener();
    },
    said: () => systemd.said(),
    count: (event) => find(event).length,
    pids: () => find('worker_listening').map((line) => Number(line['worker_pid'])),
    stop: end,
    remove: async () => {
      await end();
      await runtime.remove();
      await database.drop();
    },
  };
}

describe('cluster/primary and its workers', function () {
  this.timeout(60_000);
  let world: PrimaryWorld;

  afterEach(async () => {
    await world.remove();
    setManner();
  });

  const untilTrue = (what: string, condition: () => boolean) =>
    until(condition, { withinMs: 20_000, what });
  const untilListening = (count: number) =>
    untilTrue(`${count} workers to listen`, () => world.pids().length >= count);
  const saysReady = () => world.said().some((line) => line.includes('READY=1'));

  it('ends a roll that is in the middle with itself, whatever it ends for', async () => {
    setManner('stays');
    world = await runWorld({ workers: 2 });
    await untilListening(2);
    world.reload();
    await untilListening(3);
    world.reload();
    process.kill(world.pids()[2] ?? 0, 'SIGUSR2');
    await untilTrue('the end to begin', () => world.count('stopping') === 1);
    world.reload();
    expect(await world.exit).to.equal(PRIMARY_EXIT.failed);
    expect(world.pids()).to.have.length(3);
    expect(world.pids().filter(isRunning)).to.deep.equal([]);
    expect(world.count('reloading')).to.equal(1);
    expect(world.count('reload_failed')).to.equal(0);
  });

  it('says READY=1 as soon as a worker listens, though it is being replaced already', async () => {
    setManner('stays');
    world = await runWorld({ reloadAtOnce: true });
    await untilTrue('READY=1', saysReady);
    expect(world.count('reloaded')).to.equal(0);
    expect(world.said().join()).to.not.include('RELOADING=1');
  });

  it('does not say READY=1 after a reload while no worker listens', async () => {
    setManner('stays');
    world = await runWorld();
    await untilTrue('READY=1', saysReady);
    const from = world.said().length;
    const since = () => world.said().slice(from).join();
    world.reload();
    await untilListening(2);
    const [old = 0, fresh = 0] = world.pids();
    await untilTrue('the old one to be left out', () => since().includes('1 worker listens'));
    setManner('mute');
    process.kill(fresh, 'SIGKILL');
    await untilTrue('nobody to listen', () => since().includes('0 workers listen'));
    process.kill(old, 'SIGKILL');
    await untilTrue('the end of the roll', () => world.count('reloaded') === 1);
    const quietMs = systemClock.monotonicMs() + 700;
    await untilTrue('what might be said', () => systemClock.monotonicMs() > quietMs);
    expect(since()).to.include('RELOADING=1').and.not.include('READY=1');
  });

  it('ends with another code than 0 where a worker has lost entries', async () => {
    setManner('loses');
    world = await runWorld();
    await untilListening(1);
    expect(await world.stop()).to.equal(PRIMARY_EXIT.failed);
  });
});
