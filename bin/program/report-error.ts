import type { CommandError } from './command-error.ts';
import type { Output } from './output.ts';

/**
 * Tells a failure on stderr: text with a hint, or one JSON document (SPEC §13). `trace` is empty
 * unless `--debug` asked for it.
 */
export function reportError(output: Output, error: CommandError, trace: readonly string[]): void {
  if (output.json) output.warn(JSON.stringify({ error: toDocument(error, trace) }));
  else for (const line of [...toLines(error), ...trace]) output.warn(line);
}

function toDocument(error: CommandError, trace: readonly string[]): object {
  const { message, code, hint, details, exitCode } = error;
  return {
    code,
    message: [message, ...details].join('; '),
    hint,
    exit_code: exitCode,
    ...(trace.length > 0 && { trace }),
  };
}

function toLines({ message, hint, details }: CommandError): readonly string[] {
  return [
    `error: ${message}`,
    ...details.map((detail) => `  - ${detail}`),
    ...(hint === null ? [] : [`  hint: ${hint}`]),
  ];
}
