import { loadSettings } from '../../lib/config/load-settings.ts';
import { readVersion } from '../../lib/config/read-version.ts';
import { openLogger } from '../../lib/log/logger.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { CommandError } from '../program/command-error.ts';
import { defineCommand } from '../program/command.ts';
import { EXIT } from '../program/exit-code.ts';

const LINGER_MS = 500;

export const serve = defineCommand({
  name: 'serve',
  summary: 'Runs the gateway in the foreground, as a service manager starts it.',
  positionals: [],
  options: [],
  examples: ['nzgw serve', 'nzgw serve --env-file /etc/nzgw/env'],
  needs: [],
  async run(context) {
    // Only here: the whole gateway would slow down every other command's start.
    const { runPrimary } = await import('../../lib/cluster/run-primary.ts');
    const { StartError } = await import('../../lib/cluster/prepare.ts');
    const { ignoreSignals, onUncaught } = await import('../../lib/cluster/process-signals.ts');
    const { settings, texts, warnings } = loadSettings(context.environment);
    const log = openLogger(settings.logLevel, { process: 'primary', pid: process.pid });
    for (const warning of warnings) log.warn({ event: 'setting_warning' }, warning);
    const stop = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        stop.abort();
      });
    }
    ignoreSignals('SIGHUP', 'SIGUSR1');
    // The workers end by themselves when this process does, each with its streams told and settled.
    onUncaught(log, () => process.exit(EXIT.crashed));
    try {
      const exit = await runPrimary({
        settings,
        texts,
        environment: context.environment,
        clock: systemClock,
        log,
        version: await readVersion(),
        workerEntry: new URL('../../workers/http.js', import.meta.url),
        onHangup: (listener) => {
          process.on('SIGHUP', listener);
        },
        stop: stop.signal,
      });
      // Left to the end of everything, a connection into a dead network would keep the process.
      setTimeout(() => process.exit(exit), LINGER_MS).unref();
      return exit;
    } catch (error) {
      if (error instanceof StartError) {
        throw new CommandError(error.message, { exitCode: EXIT.conflict, code: 'cannot_start' });
      }
      throw error;
    }
  },
});
