import { runWorker } from '../lib/cluster/worker.ts';
import { loadSettings } from '../lib/config/load-settings.ts';
import { openLogger } from '../lib/log/logger.ts';
import { systemClock } from '../lib/time/clock.ts';

// The settings are read again from the same sources as the primary's: no secret goes over IPC.
const { settings } = loadSettings(process.env);

runWorker({
  settings,
  clock: systemClock,
  log: openLogger(settings.logLevel, { process: 'worker', pid: process.pid }),
  argon2Entry: new URL('./argon2.js', import.meta.url),
  bodiesEntry: new URL('./bodies.js', import.meta.url),
});
