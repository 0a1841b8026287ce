import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { BIN, NODE, ROOT } from './paths.mjs';
import { runHidden } from './run.mjs';
import { say, sayDone, sayFailed } from './say.mjs';

const OLDEST_NODE = 20;

/**
 * Makes node_modules what package-lock.json says, with the pinned Node in it. Does nothing, and
 * says nothing, where all stands. Ends the process with a word where it cannot.
 */
export async function preparePackages() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < OLDEST_NODE) {
    return stop(`Node ${OLDEST_NODE} or newer is needed; this is ${process.versions.node}.`);
  }
  if (!packagesMatchLock()) await installPackages();
  const wanted = readJson('package.json').devDependencies.node;
  if ((await readNodeVersion()) !== wanted) await repairNode(wanted);
}

/**
 * Whether node_modules holds what the lock names. npm writes what it installed to a hidden lock as
 * the last thing, so that an install that was cut off does not match. What is optional may be absent
 * (another platform's binaries).
 */
export function packagesMatchLock(root = ROOT) {
  let wanted;
  let present;
  try {
    wanted = readJson('package-lock.json', root).packages;
    present = readJson('node_modules/.package-lock.json', root).packages;
  } catch {
    return false;
  }
  const complete = Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' || present[path] !== undefined || entry.optional || entry.devOptional,
  );
  const exact = Object.entries(present).every(
    ([path, entry]) =>
      wanted[path]?.version === entry.version && wanted[path]?.integrity === entry.integrity,
  );
  return complete && exact;
}

async function installPackages() {
  const startedMs = Date.now();
  say(' … installing packages (npm ci)');
  const { code, text } = await runNpm(['ci', '--include=dev', '--include=optional']);
  if (code !== 0) return stop(`packages could not be installed (npm ci ended with ${code})`, text);
  sayDone('packages installed', startedMs);
}

/** The pinned Node comes by an install script of its package; where that did not run, ask again. */
async function repairNode(wanted) {
  const startedMs = Date.now();
  const { text } = await runNpm(['rebuild', 'node', '--ignore-scripts=false']);
  if ((await readNodeVersion()) !== wanted) {
    return stop(`Node ${wanted} of package.json could not be installed into ${BIN}`, text);
  }
  sayDone(`node ${wanted} repaired`, startedMs);
}

async function readNodeVersion() {
  const { code, text } = await runHidden(NODE, ['-v']);
  return code === 0 ? text.trim().replace(/^v/, '') : undefined;
}

/**
 * Runs npm hidden (see runHidden): the machine's npm on the machine's Node: `npm start` puts node_modules/.bin first in the path, and
 * a Node that lies there would be deleted while it installs.
 */
export function runNpm(args, { cwd = ROOT } = {}) {
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.startsWith(join(ROOT, 'node_modules')))
    .join(delimiter);
  return runHidden('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    env: { ...process.env, PATH: path },
    cwd,
  });
}

function readJson(path, root = ROOT) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

function stop(reason, details = '') {
  sayFailed(reason);
  if (details !== '') process.stderr.write(details);
  process.exit(1);
}
