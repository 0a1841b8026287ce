import { expect } from 'chai';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../../lib/root.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';

interface Result {
  readonly passed: number;
  readonly failed: number;
  readonly text: string;
}

const { runJob } = (await import(new URL('bin/bootstrap/job-runner.mjs', ROOT).href)) as {
  runJob: (job: object, files: { countsFile: string }) => Promise<Result>;
};
/** From /proc; what only waits to be reaped is Z. */
async function readState(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') gone');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[0] ?? '';
}

const mocha = fileURLToPath(new URL('node_modules/.bin/mocha', ROOT));

describe('bootstrap/job-runner', function () {
  this.timeout(30_000);
  let directory: TemporaryDirectory;
  let runs = 0;

  before(async () => {
    directory = await makeTemporaryDirectory('jobs');
    await writeFile(join(directory.path, 'package.json'), '{"type":"module"}');
  });
  after(() => directory.remove());

  async function runTests(text: string): Promise<Result> {
    runs += 1;
    const file = join(directory.path, `t${runs}.test.ts`);
    await writeFile(file, text);
    return runJob(
      { name: 'tests', script: mocha, args: [file], counts: true },
      { countsFile: join(directory.path, `t${runs}.json`) },
    );
  }

  async function runScript(text: string): Promise<Result> {
    runs += 1;
    const script = join(directory.path, `s${runs}.mjs`);
    await writeFile(script, text);
    return runJob({ name: 'check', script, args: [], counts: false }, { countsFile: '' });
  }

  it('counts the tests that passed and those that failed', async () => {
    const { passed, failed } = await runTests(
      `it('a', () => {}); it('b', () => {}); it('c', () => { throw new Error('no'); });`,
    );
    expect({ passed, failed }).to.deep.equal({ passed: 2, failed: 1 });
  });

  it('a run that dies before its tests did has failed, though no test did', async () => {
    const atOnce = await runTests(`throw new Error('at import');`);
    expect(atOnce.failed).to.equal(1);
    const midway = await runTests(`it('a', () => { process.exit(0); });`);
    expect(midway.failed).to.equal(1);
    expect(midway.text).to.contain('ended before its tests did');
  });

  it('a check counts as failed by its exit code, and never as a passed test', async () => {
    expect(await runScript('process.exitCode = 0;')).to.include({ passed: 0, failed: 0 });
    expect(await runScript('process.exitCode = 3;')).to.include({ passed: 0, failed: 1 });
  });

  it('ends what a job left behind, also in another process group, and says so', async () => {
    const left = await runScript(`
      import { spawn } from 'node:child_process';
      const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
      child.unref();
      process.stdout.write('pid ' + child.pid + '\\n');
      await new Promise((resolve) => setTimeout(resolve, 800));
    `);
    const pid = Number(/pid (\d+)/.exec(left.text)?.[1]);
    expect(left.text).to.contain('left processes behind');
    expect(left.failed).to.equal(1);
    expect(await readState(pid)).to.be.oneOf(['gone', 'Z']);
  });

  it('ends a job at the deadline that it has of its own, under its own settings', async () => {
    const script = join(directory.path, 'late.mjs');
    await writeFile(
      script,
      `process.stdout.write(process.env.OWN); setInterval(() => undefined, 1_000);`,
    );
    const { failed, text } = await runJob(
      {
        name: 'late',
        script,
        args: [],
        counts: false,
        deadlineMs: 700,
        environment: { OWN: 'told' },
      },
      { countsFile: '' },
    );
    expect(failed).to.equal(1);
    expect(text).to.contain('told').and.to.contain('took too long');
  });
});
