/**
 * Runs jobs on two lanes, in their order as far as `after` and `alone` let it. `run` does one job and
 * resolves to whether it passed; `skip` is told of those whose forerunner failed.
 */
export async function runOnTwoLanes(jobs, { run, skip }) {
  const waiting = [...jobs];
  const known = new Set(jobs.map(({ name }) => name));
  const results = new Map();
  let running = 0;
  let wake = () => undefined;
  const isReady = (job) =>
    job.after.every((name) => !known.has(name) || results.has(name)) &&
    (!job.alone || (running === 0 && waiting.every(({ alone }) => alone)));

  const takeNext = () => {
    const index = waiting.findIndex(isReady);
    return index === -1 ? undefined : waiting.splice(index, 1)[0];
  };

  async function runOne(job) {
    running += 1;
    results.set(job.name, await run(job));
    running -= 1;
    wake();
  }

  const started = [];
  while (waiting.length > 0) {
    const job = running < 2 ? takeNext() : undefined;
    if (job === undefined) {
      await new Promise((resolve) => (wake = resolve));
    } else if (job.after.some((name) => results.get(name) === false)) {
      results.set(job.name, false);
      skip(job);
    } else {
      started.push(runOne(job));
      if (job.alone) await started.at(-1);
    }
  }
  await Promise.all(started);
}
