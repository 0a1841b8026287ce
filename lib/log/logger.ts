import { pino } from 'pino';
import { openLineSink, openWithoutBlocking } from './line-sink.ts';

/** What may be logged: flat, plain values under known names. Never an error object, a header, a body. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  fatal(fields: LogFields, message: string): void;
  /** A logger that adds these fields to each line. */
  child(fields: LogFields): Logger;
}

/** Of a process: its level follows the settings. */
export interface LeveledLogger extends Logger {
  setLevel(level: string): void;
}

const STDOUT = 1;

/**
 * JSON lines on stdout. `fields` stand on every line. Written in line, without a transport thread:
 * a process that is killed has lost nothing that it said. pino's own destination would throw where a
 * disk is full, and wait for ever for room after a fatal line.
 */
export function openLogger(level: string, fields: LogFields): LeveledLogger {
  const sink = openLineSink(openWithoutBlocking(STDOUT), (lost) => {
    log.warn({ event: 'log_lines_lost', lost }, 'log lines were lost');
  });
  const log = pino(
    {
      level,
      base: { ...fields },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
  return Object.assign(log, {
    setLevel: (next: string) => {
      log.level = next;
    },
  });
}

/**
 * What may be said of an error that nobody expected: its class and code, never its message, which
 * may carry a connection string, a prompt or an upstream's words.
 */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { 'error.type': typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { 'error.type': error.name, 'error.code': code };
}
