import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';

export interface CommandErrorOptions {
  readonly exitCode: ExitCode;
  /** A word for programs, part of the `--json` contract. */
  readonly code: string;
  /** What to do about it: a command, or a short sentence. */
  readonly hint?: string | undefined;
  /** Single faults, where there are several. */
  readonly details?: readonly string[] | undefined;
  readonly cause?: unknown;
}

/** A failure with a text for people. The text never holds a secret or a service's own words. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly hint: string | null;
  readonly details: readonly string[];

  constructor(message: string, options: CommandErrorOptions) {
    super(message, { cause: options.cause });
    this.exitCode = options.exitCode;
    this.code = options.code;
    this.hint = options.hint ?? null;
    this.details = options.details ?? [];
  }
}

/** The command line was wrong: exit 2. */
export function usageError(
  message: string,
  hint?: string,
  details?: readonly string[],
): CommandError {
  return new CommandError(message, { exitCode: EXIT.usage, code: 'usage', hint, details });
}
