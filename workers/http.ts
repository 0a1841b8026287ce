import { runWorker } from '../lib/cluster/worker.ts';
import { openLogger } from '../lib/log/logger.ts';
import { systemClock } from '../lib/time/clock.ts';

// Its settings come with the primary's first message, so that all processes go by the same: a file
// that they stand in may have been changed since, or be half written.
runWorker({
  clock: systemClock,
  log: openLogger('info', { process: 'worker', pid: process.pid }),
  argon2Entry: new URL('./argon2.js', import.meta.url),
  bodiesEntry: new URL('./bodies.js', import.meta.url),
});
