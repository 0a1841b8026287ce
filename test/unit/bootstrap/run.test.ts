import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../../lib/root.ts';
import { isRunning } from '../../support/is-running.ts';
import { until } from '../../support/until.ts';

const RUN = new URL('bin/bootstrap/run.mjs', ROOT).href;

/** What runs for ever, and says who it is. */
const FOR_EVER = 'setInterval(() => undefined, 1_000); console.log(process.pid)';

/** npm, a script of the bootstrap below it, and below that what the script became. */
const SCRIPT = `import { becomeCommand } from '${RUN}';
becomeCommand(process.execPath, ['-e', ${JSON.stringify(FOR_EVER)}]);`;
const NPM = `require('node:child_process').spawn(process.execPath,
  ['--input-type=module', '-e', ${JSON.stringify(SCRIPT)}], { stdio: 'inherit' });`;

describe('bootstrap/run', function () {
  this.timeout(15_000);

  it('ends what it became when npm goes without a word', async () => {
    const npm = spawn(process.execPath, ['-e', NPM], {
      cwd: fileURLToPath(ROOT),
      env: { ...process.env, npm_lifecycle_event: 'start' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(npm.stdout, 'data')) as [Buffer];
    const pid = Number(said.toString('utf8'));
    expect(isRunning(pid)).to.equal(true);
    npm.kill('SIGKILL');
    await until(() => !isRunning(pid), { withinMs: 5_000, what: 'the command to end' });
  });
});
