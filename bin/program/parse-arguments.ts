import sade from 'sade';
import { arrangeArguments } from './arrange-arguments.ts';
import type { Arranged, GivenOption } from './arrange-arguments.ts';
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
  refuseUnknown(arranged.options, known);
  const options = arranged.options.flatMap(toArguments);
  const line = ['node', 'nzgw', command.name, ...options, '--', ...positionals];
  const { args } = register(command, known).parse(line, {
    lazy: true,
    string: namesOf(known.filter((option) => option.placeholder !== undefined)),
    boolean: namesOf(known.filter((option) => option.placeholder === undefined)),
  });
  const words: readonly unknown[] = args;
  const given = words.at(-1) as Readonly<Record<string, unknown>> & { readonly _: unknown[] };
  const named = words.slice(0, -1).map((word) => (word === undefined ? undefined : toText(word)));
  checkPositionals(command, named, given._);
  return { positionals: named, options: readOptions(given, known) };
}

/** Before sade sees them: it accepts all, and fails at names that every object has. */
function refuseUnknown(given: readonly GivenOption[], known: readonly Option[]): void {
  const flags = toFlags(known);
  const unknown = given.find(({ flag }) => !flags.includes(flag));
  if (unknown !== undefined) throw unknownOption(unknown.flag, known);
}

/** sade takes an empty value only as a word of its own, one with a dash only behind "=". */
function toArguments({ flag, value }: GivenOption): readonly string[] {
  if (value === undefined) return [flag];
  return value.startsWith('-') ? [`${flag}=${value}`] : [flag, value];
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
  const options: Record<string, OptionValue> = {};
  for (const option of known) {
    const value = given[option.name];
    if (value !== undefined) options[option.name] = readOption(option, value);
  }
  return options;
}

/** sade gives a list where an option was given more than once. */
function readOption(option: Option, value: unknown): OptionValue {
  const values = Array.isArray(value) ? value.map(toText) : [toText(value)];
  const [first = ''] = values;
  if (option.placeholder === undefined) {
    if (values.some((text) => text !== first))
      throw usageError(`--${option.name} was given both ways`);
    return first === 'true';
  }
  if (option.repeatable === true) return values;
  if (values.length > 1) throw usageError(`--${option.name} was given more than once`);
  return first;
}

/** sade's types say "anything"; after the sorting it is text or a switch. */
function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function unknownOption(flag: string, known: readonly Option[]): Error {
  const [typed = flag] = flag.split('=');
  const guess = typed.startsWith('--') ? suggest(typed, toFlags(known)) : undefined;
  return usageError(`unknown option ${typed}`, guess ? `did you mean ${guess}?` : undefined);
}

/** Every way to write these options. */
function toFlags(options: readonly Option[]): readonly string[] {
  return options.flatMap(({ name, short, negatable }) => [
    `--${name}`,
    ...(short === undefined ? [] : [`-${short}`]),
    ...(negatable === true ? [`--no-${name}`] : []),
  ]);
}

function namesOf(options: readonly Option[]): string[] {
  return options.map(({ name }) => name);
}
