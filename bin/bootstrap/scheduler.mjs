/** What a job needs of the machine: nothing much, company of its own kind at the most, all of it. */
export const [SHARED, CALM, WHOLE] = [0, 1, 2];

/** How many run at once, by what they need. Of three that need nothing much one mostly waits. */
const LANES = [3, 2, 1];

/**
 * Runs jobs on some lanes, in their order as far as `after` and `needs` let it: those that need less of
 * the machine come first. `run` does one job and resolves to whether it passed; `skip` is told of those
 * whose forerunner failed.
 */
export async function runOnLanes(jobs, { run, skip }) {
  const waiting = [...jobs];
  const known = new Set(jobs.map(({ name }) => name));
  const results = new Map();
  const running = new Set();
  let wake = () => undefined;
  const hasRoom = (job) => [job, ...running].every(({ needs }) => running.size < LANES[needs]);
  const isReady = (job) =>
    job.after.every((name) => !known.has(name) || results.has(name)) &&
    [...waiting, ...running].every(({ needs }) => needs >= job.needs) &&
    hasRoom(job);

  const takeNext = () => {
    const index = waiting.findIndex(isReady);
    return index === -1 ? undefined : waiting.splice(index, 1)[0];
  };

  async function runOne(job) {
    running.add(job);
    results.set(job.name, await run(job));
    running.delete(job);
    wake();
  }

  const started = [];
  while (waiting.length > 0) {
    const job = takeNext();
    if (job === undefined) {
      await new Promise((resolve) => (wake = resolve));
    } else if (job.after.some((name) => results.get(name) === false)) {
      results.set(job.name, false);
      skip(job);
    } else {
      started.push(runOne(job));
    }
  }
  await Promise.all(started);
}
