import { describeError } from '../log/logger.ts';
import type { Logger } from '../log/logger.ts';

/**
 * SIGUSR1 would open Node's debugger, through which any local user reads keys and prompts; SIGHUP,
 * which a closed terminal sends too, would end the process in the midst of its streams.
 */
export function ignoreSignals(...signals: readonly NodeJS.Signals[]): void {
  for (const signal of signals) process.on(signal, () => undefined);
}

/**
 * A bug that no request can answer for: said without its message, which Node would print whole, and
 * then `end`, once.
 */
export function onUncaught(log: Logger, end: () => void): void {
  let ending = false;
  const report = (event: string) => (error: unknown) => {
    log.fatal({ event, ...describeError(error) }, 'an error that nobody caught');
    if (ending) return;
    ending = true;
    end();
  };
  process.on('uncaughtException', report('uncaught_exception'));
  process.on('unhandledRejection', report('unhandled_rejection'));
}
