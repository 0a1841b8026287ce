import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mock } from 'node:test';
import { killPrimary, watchPrimary } from '../../../lib/cluster/primary-watch.ts';
import { isRunning } from '../../support/is-running.ts';

describe('cluster/primary-watch', () => {
  let nowMs: number;
  let silent: number;

  beforeEach(() => {
    nowMs = 0;
    silent = 0;
    mock.timers.enable({ apis: ['setInterval'] });
  });
  afterEach(() => {
    mock.timers.reset();
  });

  const watch = () =>
    watchPrimary({
      clock: { wallMs: () => 0, monotonicMs: () => nowMs },
      silenceMs: 30_000,
      onSilent: () => {
        silent += 1;
      },
    });

  function pass(seconds: number): void {
    for (let n = 0; n < seconds; n += 1) {
      nowMs += 1_000;
      mock.timers.tick(1_000);
    }
  }

  it('tells once when nothing was heard for so long', () => {
    watch();
    pass(29);
    expect(silent).to.equal(0);
    pass(1);
    expect(silent).to.equal(1);
    pass(60);
    expect(silent).to.equal(1);
  });

  it('waits anew after each word', () => {
    const watching = watch();
    pass(29);
    watching.hear();
    pass(29);
    expect(silent).to.equal(0);
    pass(1);
    expect(silent).to.equal(1);
  });

  it('does not count time in which this process was stopped itself', () => {
    watch();
    pass(29);
    nowMs += 600_000;
    pass(29);
    expect(silent).to.equal(0);
    pass(2);
    expect(silent).to.equal(1);
  });

  it('tells nothing once it is stopped', () => {
    watch().stop();
    pass(60);
    expect(silent).to.equal(0);
  });

  it('kills nobody who is not the parent', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    killPrimary(stranger.pid ?? 0);
    expect(isRunning(stranger.pid ?? 0)).to.equal(true);
    stranger.kill('SIGKILL');
    await once(stranger, 'exit');
  });
});
