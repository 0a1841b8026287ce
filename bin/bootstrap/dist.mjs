import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BIN, NODE, ROOT, pinnedEnvironment } from './paths.mjs';
import { runHidden } from './run.mjs';
import { sayDone, sayFailed } from './say.mjs';

const STAMP = join(ROOT, 'dist', '.built-from');
const SOURCES = ['bin', 'lib', 'workers', 'perf', 'test/support'];
const PLANS = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];

/** Builds dist/ where it was not built from these sources. */
export async function buildIfStale() {
  return readStamp() === digestSources() || build();
}

/** Empties and builds dist/. Returns whether that went well; says why it did not. */
export async function build() {
  const startedMs = Date.now();
  const digest = digestSources();
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  const { code, text } = await runHidden(NODE, [join(BIN, 'tsc'), '-p', 'tsconfig.build.json'], {
    env: pinnedEnvironment(),
  });
  if (code !== 0) {
    sayFailed('build', startedMs);
    process.stderr.write(text);
    return false;
  }
  chmodSync(join(ROOT, 'dist/bin/nzgw.js'), 0o755);
  writeFileSync(STAMP, digest);
  sayDone('built', startedMs);
  return true;
}

/** A digest of all that the build reads: names and contents. */
function digestSources() {
  const hash = createHash('sha256');
  for (const path of [...PLANS, ...SOURCES.flatMap(listSources)]) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(ROOT, path)))
      .update('\0');
  }
  return hash.digest('hex');
}

function listSources(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`)
    .sort();
}

function readStamp() {
  try {
    return readFileSync(STAMP, 'utf8');
  } catch {
    return undefined;
  }
}
