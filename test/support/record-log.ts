import type { LogFields, Logger } from '../../lib/log/logger.ts';

export type RecordedLine = LogFields & { readonly level: string; readonly message: string };

/** A logger whose lines can be read back. */
export function recordLog(): { readonly log: Logger; readonly lines: readonly RecordedLine[] } {
  const lines: RecordedLine[] = [];
  const make = (base: LogFields): Logger => {
    const write = (level: string) => (fields: LogFields, message: string) => {
      lines.push({ ...base, ...fields, level, message });
    };
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      fatal: write('fatal'),
      child: (fields) => make({ ...base, ...fields }),
    };
  };
  return { log: make({}), lines };
}
