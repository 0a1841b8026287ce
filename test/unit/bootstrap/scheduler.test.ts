import { expect } from 'chai';
import { setTimeout as pause } from 'node:timers/promises';
import { ROOT } from '../../../lib/root.ts';

interface Job {
  readonly name: string;
  readonly after: readonly string[];
  readonly needs: number;
}

const { CALM, SHARED, WHOLE, runOnLanes } = (await import(
  new URL('bin/bootstrap/scheduler.mjs', ROOT).href
)) as {
  CALM: number;
  SHARED: number;
  WHOLE: number;
  runOnLanes: (
    jobs: readonly Job[],
    acts: { run: (job: Job) => Promise<boolean>; skip: (job: Job) => void },
  ) => Promise<void>;
};

function job(name: string, options: Partial<Job> = {}): Job {
  return { name, after: [], needs: SHARED, ...options };
}

interface Seen {
  readonly log: readonly string[];
  readonly most: number;
}

async function follow(jobs: readonly Job[], failing: readonly string[] = []): Promise<Seen> {
  const log: string[] = [];
  let running = 0;
  let most = 0;
  await runOnLanes(jobs, {
    run: async ({ name }) => {
      running += 1;
      most = Math.max(most, running);
      log.push(`+${name}`);
      await pause(5);
      running -= 1;
      log.push(`-${name}`);
      return !failing.includes(name);
    },
    skip: ({ name }) => log.push(`skip ${name}`),
  });
  return { log, most };
}

describe('bootstrap/scheduler', () => {
  it('runs three jobs at a time, and every job', async () => {
    const { log, most } = await follow(['a', 'b', 'c', 'd', 'e'].map((name) => job(name)));
    expect(most).to.equal(3);
    expect(log.filter((line) => line.startsWith('-'))).to.have.length(5);
  });

  it('starts a job only after those that it needs, and takes another one meanwhile', async () => {
    const { log } = await follow([job('build'), job('e2e', { after: ['build'] }), job('lint')]);
    expect(log.indexOf('+lint')).to.be.below(log.indexOf('-build'));
    expect(log.indexOf('+e2e')).to.be.above(log.indexOf('-build'));
  });

  it('does not run what could not succeed', async () => {
    const { log } = await follow([job('build'), job('e2e', { after: ['build'] })], ['build']);
    expect(log).to.deep.equal(['+build', '-build', 'skip e2e']);
  });

  it('leaves the machine to a job that measures time', async () => {
    const { log } = await follow([
      job('serial', { needs: WHOLE }),
      job('a'),
      job('b'),
      job('more', { needs: WHOLE }),
    ]);
    expect(log.slice(-4)).to.deep.equal(['+serial', '-serial', '+more', '-more']);
  });

  it('gives a job whose tests mostly wait no company but its own kind', async () => {
    const { log, most } = await follow([
      job('serial', { needs: WHOLE }),
      job('calm-1', { needs: CALM }),
      job('calm-2', { needs: CALM }),
      job('calm-3', { needs: CALM }),
      job('build'),
      job('e2e', { after: ['build'] }),
    ]);
    expect(most).to.equal(2);
    expect(log.slice(0, 6)).to.deep.equal([
      '+build',
      '-build',
      '+e2e',
      '-e2e',
      '+calm-1',
      '+calm-2',
    ]);
    expect(log.slice(-2)).to.deep.equal(['+serial', '-serial']);
  });

  it('does not wait for a job that is not part of this run', async () => {
    const { log } = await follow([job('e2e', { after: ['build'] })]);
    expect(log).to.deep.equal(['+e2e', '-e2e']);
  });
});
