import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { preparePackages } from './packages.mjs';
import { NODE, ROOT, pinnedEnvironment } from './paths.mjs';
import { say, sayDone, sayFailed } from './say.mjs';

/** Each has test/deploy/<way>/run.ts, which follows docs/DEPLOYMENT.md and exits 0 where all was seen. */
const WAYS = ['systemd', 'compose'];

/**
 * `npm run test:deploy [-- systemd | compose]`: installs the product as docs/DEPLOYMENT.md says, in
 * a Debian of its own, and looks whether it works. On demand and as root: it installs Debian packages,
 * mounts, and makes network namespaces, which no `npm test` should do to the machine of a developer.
 */
async function testDeployments(wanted) {
  const unknown = wanted.find((way) => !WAYS.includes(way));
  if (unknown !== undefined) {
    say(`usage: npm run test:deploy [-- ${WAYS.join(' | ')}]`);
    return 2;
  }
  if (process.getuid?.() !== 0) {
    say('npm run test:deploy must be run as root: it boots systems of its own.');
    return 2;
  }
  await preparePackages();
  let failed = 0;
  for (const way of wanted.length > 0 ? wanted : WAYS) failed += (await runWay(way)) ? 0 : 1;
  return failed === 0 ? 0 : 1;
}

function runWay(way) {
  const startedMs = Date.now();
  const script = join('test', 'deploy', way, 'run.ts');
  return new Promise((resolve) => {
    const env = pinnedEnvironment();
    const child = spawn(NODE, [script], { cwd: ROOT, env, stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
    child.on('close', (code) => {
      (code === 0 ? sayDone : sayFailed)(`deployment by ${way}`, startedMs);
      resolve(code === 0);
    });
  });
}

process.exitCode = await testDeployments(process.argv.slice(2));
