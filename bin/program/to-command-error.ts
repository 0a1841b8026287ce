import { SettingsError } from '../../lib/config/load-settings.ts';
import { ActError } from '../../lib/tenants/act-error.ts';
import type { ActErrorCode } from '../../lib/tenants/act-error.ts';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';

interface Consequence {
  readonly exitCode: ExitCode;
  readonly hint?: string;
}

const CONSEQUENCES: Readonly<Record<ActErrorCode, Consequence>> = {
  tenant_not_found: { exitCode: EXIT.notFound, hint: 'nzgw list-tenants' },
  tenant_exists: { exitCode: EXIT.conflict, hint: 'choose another with --slug' },
  tenant_closed: { exitCode: EXIT.conflict },
  key_not_found: { exitCode: EXIT.notFound, hint: 'nzgw list-keys' },
  key_ambiguous: { exitCode: EXIT.usage, hint: 'give more characters of it: nzgw list-keys' },
  key_ended: { exitCode: EXIT.conflict, hint: 'nzgw create-key makes another' },
};

/**
 * Any error as one with an exit code and a text of ours. What was not foreseen tells its kind
 * alone: its own text could hold anything.
 */
export function toCommandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  if (error instanceof ActError) {
    const { code, message } = error;
    return new CommandError(message, { ...CONSEQUENCES[code], code, cause: error });
  }
  if (error instanceof SettingsError) {
    return new CommandError('the settings are not right', {
      exitCode: EXIT.usage,
      code: 'settings_invalid',
      hint: 'docs/CONFIGURATION.md tells what each may be',
      details: error.faults,
      cause: error,
    });
  }
  const kind = error instanceof Error ? error.name : typeof error;
  return new CommandError(`unexpected ${kind}`, {
    exitCode: EXIT.failed,
    code: 'internal_error',
    hint: 'run it again with --debug to see where it came from',
    cause: error,
  });
}

/** Where an error came from, without its text: names and places only. */
export function toTrace(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  return [error.name, ...toFrames(error), ...toTrace(error.cause)];
}

/**
 * The stack begins with the message, whose lines may look like frames; where it cannot be cut off
 * there is no place to tell.
 */
function toFrames({ stack = '', message }: Error): readonly string[] {
  const start = stack.indexOf(message);
  if (start === -1) return [];
  const lines = stack.slice(start + message.length).split('\n');
  return lines.filter((line) => /^\s+at /.test(line));
}
