import type { Readable } from 'node:stream';
import type { SettingKey, Settings } from '../../lib/config/settings.ts';
import type { Clock } from '../../lib/time/clock.ts';
import type { ExitCode } from './exit-code.ts';
import type { Output } from './output.ts';

export interface Positional {
  /** As shown in usage lines, in capitals: TENANT. */
  readonly name: string;
  readonly required: boolean;
  readonly meaning: string;
}

export interface Option {
  /** Without dashes: `max-output-tokens`. */
  readonly name: string;
  /** One letter, for global options. */
  readonly short?: string;
  /** Present: the option takes a value, shown by this word. Absent: a switch. */
  readonly placeholder?: string;
  /** What the option means alone. Its value is then only what stands behind "=", never the next word. */
  readonly bareValue?: string;
  /** The option may be given several times; its value is a list. */
  readonly repeatable?: boolean;
  /** A switch that also has a `--no-` form. */
  readonly negatable?: boolean;
  readonly meaning: string;
}

export type OptionValue = string | boolean | readonly string[];

/** What was given on the command line, by option name; nothing is there that was not given. */
export type Options = Readonly<Record<string, OptionValue | undefined>>;

/** Everything a command may touch. `settings` holds what the command named in `needs`. */
export interface Context<N extends SettingKey = SettingKey> {
  /** In the order of the command's `positionals`; undefined where an optional one is absent. */
  readonly positionals: readonly (string | undefined)[];
  readonly options: Options;
  readonly settings: Pick<Settings, N>;
  /** Environment with `--env-file` applied, for commands that load further settings themselves. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly output: Output;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly clock: Clock;
}

/**
 * A command is data: registration, help and tests are made from it. `run` returns the exit code;
 * what goes wrong is thrown (CommandError, or anything else as a failure).
 */
export interface Command<N extends SettingKey = SettingKey> {
  readonly name: string;
  readonly summary: string;
  readonly positionals: readonly Positional[];
  readonly options: readonly Option[];
  /** Whole command lines, without a prompt. */
  readonly examples: readonly string[];
  /** Only these settings are read and must be valid. */
  readonly needs: readonly N[];
  run(context: Context<N>): Promise<ExitCode>;
}

/** Ties `needs` to the settings that `run` sees. */
export function defineCommand<const N extends SettingKey>(command: Command<N>): Command<N> {
  return command;
}
