import type { LeveledLogger, LogFields, Logger } from '../../lib/log/logger.ts';

export type RecordedLine = LogFields & { readonly level: string; readonly message: string };

/** A logger whose lines can be read back. */
export function recordLog(): {
  readonly log: LeveledLogger;
  readonly lines: readonly RecordedLine[];
} {
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
  const setLevel = (level: string): void => {
    lines.push({ event: 'level_set', level, message: '' });
  };
  return { log: { ...make({}), setLevel }, lines };
}
