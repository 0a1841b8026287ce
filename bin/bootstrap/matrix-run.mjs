import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfStale } from './dist.mjs';
import { endAllJobs, runJob } from './job-runner.mjs';
import {
  listMatrixFiles,
  prepareTold,
  readProgress,
  readRoundCounts,
  writeProgress,
  writeResult,
} from './matrix-files.mjs';
import { addSlice, nameRun, nextSlice, resume, sumUp } from './matrix-plan.mjs';
import { readTestedCommit } from './matrix-tree.mjs';
import { BIN, ROOT } from './paths.mjs';
import { say, sayDone, sayFailed } from './say.mjs';

const DEADLINE_MS = 20 * 60_000;
const USAGE = 'usage: npm run test:matrix [-- [--fresh] test/…/x.test.ts …]';
/** Tests read it as well: test/support/redis-topology.ts. */
const TOPOLOGY = process.env['REDIS_TOPOLOGY'];

let stopping = false;

/** All files, one after the other; the last line says what they came to. */
async function runMatrix() {
  const { files, fresh } = readOptions();
  stopWhenAsked();
  let failures = 0;
  for (const file of files) failures += await runFile(file, fresh);
  process.stdout.write(`${files.length} files, ${failures} failures\n`);
  process.exitCode = failures === 0 ? 0 : 1;
}

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      options: { fresh: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const named = positionals.map((path) => relative(ROOT, resolve(ROOT, path)));
    const missing = named.filter(
      (path) => !path.endsWith('.test.ts') || !existsSync(join(ROOT, path)),
    );
    if (missing.length > 0) throw new Error(`no test files: ${missing.join(', ')}`);
    return { files: named.length > 0 ? named : listMatrixFiles(), fresh: values.fresh };
  } catch (error) {
    say(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

/** Goes on where this commit's run of the file stands. Resolves to the failures of all its slices. */
async function runFile(file, fresh) {
  const run = nameRun(file, TOPOLOGY);
  const commit = await readTestedCommit(file);
  if (commit === undefined) say(` – ${run}: not what is committed; nothing is written down`);
  const seed = readSeed(commit);
  const kept = fresh || commit === undefined ? undefined : readProgress(run);
  let progress = resume(kept, { commit, seed });
  for (let slice = nextSlice(progress); slice !== undefined; slice = nextSlice(progress)) {
    if (!(await buildIfStale())) return fail(`${run}: no build`);
    progress = await runSlice(file, progress, slice);
    // A slice of another tree than the line will name is no result.
    if ((await readTestedCommit(file)) !== commit) return fail(`${run}: the tree has changed`);
    if (progress === undefined) return fail(`${run}: failed before its rounds`);
    if (commit !== undefined) writeProgress(run, progress);
  }
  const { rounds, failures, minutes } = sumUp(progress);
  const what = `${run}: ${rounds} rounds, ${failures} failures, ${minutes} min`;
  (failures === 0 ? sayDone : sayFailed)(what);
  if (commit !== undefined && !progress.written) writeResult(run, progress);
  return failures;
}

async function runSlice(file, progress, { from, to }) {
  const startedMs = Date.now();
  const run = nameRun(file, TOPOLOGY);
  const told = prepareTold(run);
  const settings = {
    NZGW_TEST_FULL: '1',
    NZGW_TEST_SEED: String(progress.seed),
    NZGW_TEST_ROUNDS: `${from}-${to}`,
    ...(TOPOLOGY === undefined ? {} : { REDIS_TOPOLOGY: TOPOLOGY }),
  };
  const result = await runJob(
    {
      name: run,
      script: join(BIN, 'mocha'),
      args: [file],
      counts: true,
      deadlineMs: DEADLINE_MS,
      environment: { ...settings, NZGW_TEST_ROUNDS_FILE: told.rounds },
    },
    { countsFile: told.tests },
  );
  // Asked to stop, and ended for that: no result.
  if (stopping) await new Promise(() => undefined);
  // A slice that holds rounds holds a test.
  const failed = result.passed === 0 ? Math.max(1, result.failed) : result.failed;
  (failed === 0 ? sayDone : sayFailed)(`${run} ${from}-${to}`, startedMs);
  if (failed > 0) {
    process.stdout.write(result.text);
    const again = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    say(`   again: ${again.join(' ')} npx mocha ${file}`);
  }
  const slice = { from, to, ms: Date.now() - startedMs, failed };
  return addSlice(progress, slice, readRoundCounts(told.rounds));
}

function readSeed(commit) {
  const wanted = process.env['NZGW_TEST_SEED'] ?? Number.parseInt(commit?.slice(0, 8) ?? '1', 16);
  return Number(wanted) >>> 0;
}

function fail(what) {
  sayFailed(what);
  return 1;
}

function stopWhenAsked() {
  const stop = (code) => async () => {
    stopping = true;
    await endAllJobs();
    process.exit(code);
  };
  process.once('SIGINT', stop(130)).once('SIGTERM', stop(143)).once('SIGHUP', stop(129));
  // The parent is gone without a word; its channel alone keeps nothing running.
  process.once('disconnect', stop(143));
  process.channel?.unref();
}

await runMatrix();
