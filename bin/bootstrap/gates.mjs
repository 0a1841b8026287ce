import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endAllJobs, runJob } from './job-runner.mjs';
import { planJobs } from './jobs.mjs';
import { ROOT } from './paths.mjs';
import { say, sayDone, sayFailed } from './say.mjs';
import { runOnLanes } from './scheduler.mjs';

const COVERAGE = join(ROOT, 'coverage');
const RAW = join(COVERAGE, 'raw');

const total = { passed: 0, failed: 0 };

/** All gates of `npm test`; the last line says what they came to. */
async function runGates() {
  const options = readOptions();
  const whole = options.grep === undefined && !options.fast;
  rmSync(COVERAGE, { recursive: true, force: true });
  mkdirSync(RAW, { recursive: true });
  stopWhenAsked();
  await runOnLanes(planJobs(options), {
    run: (job) => runAndTell(job, whole),
    skip: (job) => {
      total.failed += 1;
      sayFailed(`${job.name}: not run, because ${job.after.join(', ')} failed`);
    },
  });
  if (whole) await gateCoverage();
  else say(' – a part of the tests: coverage is not judged');
  if (total.passed + total.failed === 0) {
    total.failed += 1;
    sayFailed('no test was run');
  }
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: { grep: { type: 'string' }, fast: { type: 'boolean', default: false } },
    });
    return values;
  } catch (error) {
    say(`${error.message}\nusage: npm test [-- --grep TEXT | --fast]`);
    process.exit(2);
  }
}

async function runAndTell(job, whole) {
  const startedMs = Date.now();
  const { passed, failed, text } = await runJob(job, {
    countsFile: join(COVERAGE, `${job.name}.json`),
    coverageDirectory: whole ? RAW : undefined,
  });
  total.passed += passed;
  total.failed += failed;
  if (job.counts || failed > 0) process.stdout.write(text);
  const what = job.counts ? `${job.name}: ${passed} passed, ${failed} failed` : job.name;
  (failed === 0 ? sayDone : sayFailed)(what, startedMs);
  return failed === 0;
}

async function gateCoverage() {
  const startedMs = Date.now();
  const { judgeCoverage } = await import('./coverage.mjs');
  const { linesPercent, faults } = await judgeCoverage(RAW);
  rmSync(RAW, { recursive: true, force: true });
  if (faults.length === 0) {
    sayDone(`coverage: ${linesPercent} % of the lines of lib`, startedMs);
    return;
  }
  total.failed += 1;
  sayFailed('coverage', startedMs);
  for (const fault of faults) say(`   ${fault}`);
}

function stopWhenAsked() {
  const stop = (code) => async () => {
    await endAllJobs();
    process.exit(code);
  };
  process.once('SIGINT', stop(130)).once('SIGTERM', stop(143)).once('SIGHUP', stop(129));
  // The parent is gone without a word; its channel alone keeps nothing running.
  process.once('disconnect', stop(143));
  process.channel?.unref();
}

await runGates();
