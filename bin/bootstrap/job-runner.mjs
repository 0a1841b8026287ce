import { existsSync, readFileSync } from 'node:fs';
import { JobProcess } from './job-process.mjs';
import { NODE, ROOT, pinnedEnvironment } from './paths.mjs';
import { SHARED } from './scheduler.mjs';

const DEADLINE_MS = 20 * 60_000;
const LINGER_MS = 10_000;
/** Jobs write to a pipe; whether a person reads in colour is known here. */
const COLOUR = process.stderr.isTTY === true ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' };

const running = new Set();

/**
 * Runs one job and gathers what it says. A job that goes on for too long, stays after its last test,
 * or leaves processes behind has failed. Of its own it may have `deadlineMs` and `environment`.
 *
 * @returns {Promise<{ passed: number, failed: number, text: string }>}
 */
export async function runJob(job, { countsFile, coverageDirectory }) {
  const reporting = ['--reporter', 'test/support/counting-reporter.ts'];
  const options = job.counts ? [...reporting, '--reporter-option', `counts=${countsFile}`] : [];
  // Measuring coverage slows; a job that needs the machine measures time.
  const covered = job.counts && job.needs === SHARED && coverageDirectory !== undefined;
  const coverage = covered ? { NODE_V8_COVERAGE: coverageDirectory } : {};
  const faults = [];
  const judgeTime = watchTime(job, countsFile, (fault) => {
    faults.push(fault);
    void started.end();
  });
  const started = new JobProcess(NODE, [job.script, ...options, ...job.args], {
    cwd: ROOT,
    env: pinnedEnvironment({ ...COLOUR, ...coverage, ...job.environment }),
    onLook: judgeTime,
  });
  running.add(started);
  const code = await started.exited;
  if (await started.end()) faults.push('left processes behind');
  running.delete(started);
  return judge(job, { code, countsFile, faults, text: started.text });
}

/** Ends whatever still runs: this process is asked to stop. */
export async function endAllJobs() {
  await Promise.all([...running].map((one) => one.end()));
}

/** A mocha run that stays though all its tests have ended holds something open. */
function watchTime(job, countsFile, complain) {
  const startedMs = Date.now();
  let endedMs;
  let said = false;
  return () => {
    if (job.counts && existsSync(countsFile)) endedMs ??= Date.now();
    const stays = endedMs !== undefined && Date.now() - endedMs > LINGER_MS;
    if (said || !(stays || Date.now() - startedMs > (job.deadlineMs ?? DEADLINE_MS))) return;
    said = true;
    complain(stays ? 'did not end: something was left open' : 'took too long');
  };
}

function judge(job, { code, countsFile, faults, text }) {
  const counts = job.counts ? readCounts(countsFile) : undefined;
  const passed = counts?.passed ?? 0;
  let failed = counts?.failed ?? 0;
  if (job.counts && counts === undefined) faults.push('ended before its tests did');
  if (code !== 0 && failed === 0 && faults.length === 0) faults.push(`ended with ${code}`);
  if (faults.length > 0) failed += 1;
  return {
    passed,
    failed,
    text: text + faults.map((fault) => `  ${job.name} ${fault}\n`).join(''),
  };
}

function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
