import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfStale } from './dist.mjs';
import { preparePackages, runNpm } from './packages.mjs';
import { NODE, ROOT } from './paths.mjs';
import { runHidden } from './run.mjs';
import { sayDone, sayFailed } from './say.mjs';

/** What a running gateway and its operator need beside the built code and the packages. */
const KEPT = [
  ...['package.json', 'package-lock.json', 'LICENSE', 'CHANGELOG.md', '.env.example'],
  ...['sql', 'lib/ledger/lua', 'deploy'],
];
const BUILT = ['bin', 'lib', 'workers'];

/** /usr/local/bin/nzgw may be a link to it. */
const LAUNCHER = `#!/bin/sh
# nzgw under the Node that came with it.
here=$(dirname "$(readlink -f "$0")")
exec "$here/node" "$here/../dist/bin/nzgw.js" "$@"
`;

/**
 * `npm run release [-- --no-node]`: what is put on a server, as the folder release/nzgw-VERSION and
 * as an archive of it with its SHA-256. Built code without tests and measurements, packages without
 * those of development and without running any install script of theirs, the pinned Node; nothing
 * needs to be installed or compiled where it is unpacked. `--no-node`: the folder alone and without
 * Node, for an image that has one.
 */
async function makeRelease() {
  const { values } = parseArgs({ options: { 'no-node': { type: 'boolean', default: false } } });
  await preparePackages();
  if (!(await buildIfStale())) return false;
  const startedMs = Date.now();
  const { version } = JSON.parse(fs.readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const name = `nzgw-${version}`;
  const folder = join(ROOT, 'release', name);
  fs.rmSync(join(ROOT, 'release'), { recursive: true, force: true });
  copyProduct(folder);
  if (!(await installPackages(folder))) return false;
  if (values['no-node']) {
    sayDone(`release/${name}`, startedMs);
    return true;
  }
  addNode(folder);
  return archive(name, startedMs);
}

function copyProduct(folder) {
  fs.mkdirSync(folder, { recursive: true });
  for (const path of KEPT) fs.cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  for (const path of BUILT) {
    fs.cpSync(join(ROOT, 'dist', path), join(folder, 'dist', path), {
      recursive: true,
      filter: (source) => !source.endsWith('.map'),
    });
  }
}

async function installPackages(folder) {
  const startedMs = Date.now();
  const { code, text } = await runNpm(['ci', '--omit=dev', '--ignore-scripts'], { cwd: folder });
  if (code === 0) return true;
  sayFailed(`packages of the release (npm ci ended with ${code})`, startedMs);
  process.stderr.write(text);
  return false;
}

function addNode(folder) {
  fs.mkdirSync(join(folder, 'bin'));
  fs.copyFileSync(NODE, join(folder, 'bin/node'));
  fs.writeFileSync(join(folder, 'bin/nzgw'), LAUNCHER);
  for (const program of ['node', 'nzgw']) fs.chmodSync(join(folder, 'bin', program), 0o755);
}

/** Owners and order of the archive do not depend on who made it. */
async function archive(name, startedMs) {
  const file = `${name}-${process.platform}-${process.arch}.tar.gz`;
  const { code, text } = await runHidden(
    'tar',
    [
      '--sort=name',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--mode=go=rX',
      '-czf',
      file,
      name,
    ],
    { cwd: join(ROOT, 'release') },
  );
  if (code !== 0) {
    sayFailed(`release/${file}`, startedMs);
    process.stderr.write(text);
    return false;
  }
  const digest = createHash('sha256').update(fs.readFileSync(join(ROOT, 'release', file)));
  fs.writeFileSync(join(ROOT, 'release', `${file}.sha256`), `${digest.digest('hex')}  ${file}\n`);
  sayDone(`release/${file}`, startedMs);
  return true;
}

process.exitCode = (await makeRelease()) ? 0 : 1;
