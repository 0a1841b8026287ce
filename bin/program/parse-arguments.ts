import sade from 'sade';
import { arrangeArguments } from './arrange-arguments.ts';
import type { Arranged } from './arrange-arguments.ts';
import type { Command, Option, Options, OptionValue } from './command.ts';
import { usageError } from './command-error.ts';
import { GLOBAL_OPTIONS, INFO_OPTIONS } from './global-options.ts';
import { suggest } from './suggest.ts';

export type Invocation =
  | { readonly kind: 'help'; readonly topic: string | undefined }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'run';
      readonly command: Command;
      readonly positionals: readonly (string | undefined)[];
      readonly options: Options;
    };

/**
 * What was asked for. `argv` is what follows the program's name. Nothing is turned into a number,
 * nothing is printed, nothing exits. Throws a usage error, with a guess where something is near.
 */
export function parseArguments(argv: readonly string[], commands: readonly Command[]): Invocation {
  const everyOption = [...GLOBAL_OPTIONS, ...INFO_OPTIONS, ...commands.flatMap((c) => c.options)];
  const arranged = arrangeArguments(argv, everyOption);
  const [name, ...positionals] = arranged.words;
  if (arranged.version) return { kind: 'version' };
  if (name === 'help') return { kind: 'help', topic: positionals[0] };
  if (arranged.help || argv.length === 0) return { kind: 'help', topic: name };
  if (name === undefined) throw usageError('no command was given', 'nzgw help');

  const command = findCommand(name, commands);
  return { kind: 'run', command, ...parseWithSade(command, arranged, positionals) };
}

/** Throws a usage error with a guess. */
export function findCommand(name: string, commands: readonly Command[]): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const names = commands.map((candidate) => candidate.name);
  const guess = suggest(name, names);
  throw usageError(`unknown command "${name}"`, guess ? `did you mean ${guess}?` : 'nzgw help');
}

interface Parsed {
  readonly positionals: readonly (string | undefined)[];
  readonly options: Options;
}

function parseWithSade(
  command: Command,
  arranged: Arranged,
  positionals: readonly string[],
): Parsed {
  const known = [...GLOBAL_OPTIONS, ...command.options];
  const line = ['node', 'nzgw', command.name, ...arranged.options, '--', ...positionals];
  const { args } = register(command, known).parse(line, {
    lazy: true,
    string: namesOf(known.filter((option) => option.placeholder !== undefined)),
    boolean: namesOf(known.filter((option) => option.placeholder === undefined)),
    unknown: (flag: string) => {
      throw unknownOption(flag, known);
    },
  });
  const words: readonly unknown[] = args;
  const given = words.at(-1) as Readonly<Record<string, unknown>> & { readonly _: unknown[] };
  const named = words.slice(0, -1).map((word) => (word === undefined ? undefined : toText(word)));
  checkPositionals(command, named, given._);
  return { positionals: named, options: readOptions(given, known) };
}

/** Every positional is optional to sade: what it does about a missing one is print and exit. */
function register(command: Command, known: readonly Option[]): sade.Sade {
  const places = command.positionals.map(({ name }) => `[${name}]`);
  const program = sade('nzgw').command([command.name, ...places].join(' '), command.summary);
  for (const { name, short, meaning } of known) {
    program.option(short === undefined ? `--${name}` : `-${short}, --${name}`, meaning);
  }
  return program;
}

function checkPositionals(
  command: Command,
  named: readonly (string | undefined)[],
  extra: readonly unknown[],
): void {
  const missing = command.positionals.find(
    ({ required }, index) => required && named[index] === undefined,
  );
  const hint = `nzgw ${command.name} --help`;
  if (missing) throw usageError(`${command.name} needs ${missing.name}: ${missing.meaning}`, hint);
  if (extra.length > 0) throw usageError(`"${toText(extra[0])}" is one argument too many`, hint);
}

function readOptions(given: Readonly<Record<string, unknown>>, known: readonly Option[]): Options {
  const options: Record<string, OptionValue | undefined> = {};
  for (const option of known) {
    const value = readOption(option, given[option.name], known);
    if (value !== undefined) options[option.name] = value;
  }
  return options;
}

function readOption(
  option: Option,
  value: unknown,
  known: readonly Option[],
): OptionValue | undefined {
  if (value === undefined) return undefined;
  const values = Array.isArray(value) ? value.map(toText) : [toText(value)];
  if (option.placeholder === undefined) {
    const isOn = values.every((text) => text === 'true');
    if (!isOn && option.negatable !== true) throw unknownOption(`--no-${option.name}`, known);
    if (!isOn && values.length > 1) throw usageError(`--${option.name} was given both ways`);
    return isOn;
  }
  if (value === false) throw unknownOption(`--no-${option.name}`, known);
  if (option.repeatable === true) return values;
  if (values.length > 1) throw usageError(`--${option.name} was given more than once`);
  return values[0];
}

/** sade's types say "anything"; after the sorting it is text or a switch. */
function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function unknownOption(flag: string, known: readonly Option[]): Error {
  const names = known.flatMap(({ name, short, negatable }) => [
    `--${name}`,
    ...(short === undefined ? [] : [`-${short}`]),
    ...(negatable === true ? [`--no-${name}`] : []),
  ]);
  const [typed = flag] = flag.split('=');
  const guess = typed.startsWith('--') ? suggest(typed, names) : undefined;
  return usageError(`unknown option ${typed}`, guess ? `did you mean ${guess}?` : undefined);
}

function namesOf(options: readonly Option[]): string[] {
  return options.map(({ name }) => name);
}
