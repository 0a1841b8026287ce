import type { Option } from './command.ts';
import { usageError } from './command-error.ts';

/** A key in an argument, whole or nearly: it is in the shell's history and in `ps` already. */
const KEY_IN_ARGUMENT = /nz_[0-9A-Za-z]{12}_[0-9A-Za-z]{8,}/;

export interface GivenOption {
  /** As written, with its dashes: `--name`, `--no-name`, `-q`. */
  readonly flag: string;
  readonly value?: string;
}

export interface Arranged {
  readonly help: boolean;
  readonly version: boolean;
  /** Command first, then positionals; option values are not among them. */
  readonly words: readonly string[];
  readonly options: readonly GivenOption[];
}

/**
 * Sorts a command line before sade sees it. sade takes the word after a switch for its value and
 * turns it into a number, looks for the command without knowing which options take values, and
 * reads `--name=` as true. Throws a usage error for a missing or superfluous value, and for a key,
 * which is not repeated in the text.
 */
export function arrangeArguments(argv: readonly string[], known: readonly Option[]): Arranged {
  refuseKeys(argv);
  const takesValue = new Set(known.filter((o) => o.placeholder !== undefined).map((o) => o.name));
  const bareValues = new Map(known.map((o) => [o.name, o.bareValue]));
  const switches = new Set(known.filter((o) => o.placeholder === undefined).map((o) => o.name));
  const words: string[] = [];
  const options: GivenOption[] = [];
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const { name, value } = splitOption(word);
    const given = value ?? bareValues.get(name);
    if (word === '--') words.push(...rest.splice(0));
    else if (takesValue.has(name)) options.push(withValue(name, given ?? takeValue(name, rest)));
    else if (switches.has(name) && value !== undefined) throw noValueWanted(name);
    else if (isOption(word)) options.push({ flag: word });
    else words.push(word);
  }
  return {
    help: options.some(({ flag }) => flag === '--help' || flag === '-h'),
    version: options.some(({ flag }) => flag === '--version' || flag === '-v'),
    words,
    options,
  };
}

/** `--name=value` in its parts; the name of anything else is empty. */
function splitOption(word: string): { readonly name: string; readonly value?: string } {
  if (!word.startsWith('--')) return { name: '' };
  const end = word.indexOf('=');
  if (end === -1) return { name: word.slice(2) };
  return { name: word.slice(2, end), value: word.slice(end + 1) };
}

/** A lone dash is a word. */
function isOption(word: string): boolean {
  return word.startsWith('-') && word !== '-';
}

function refuseKeys(argv: readonly string[]): void {
  if (!argv.some((word) => KEY_IN_ARGUMENT.test(word))) return;
  throw usageError(
    'a whole key was given on the command line, where other users and the history can see it',
    'give the part before the second underscore (nz_ and 12 characters); verify-key reads a key on stdin',
  );
}

function takeValue(name: string, rest: string[]): string {
  const [next] = rest;
  if (next === undefined || isOption(next)) {
    throw usageError(`--${name} needs a value`, `a value that begins with a dash: --${name}=-…`);
  }
  rest.shift();
  return next;
}

function withValue(name: string, value: string): GivenOption {
  return { flag: `--${name}`, value };
}

function noValueWanted(name: string): Error {
  return usageError(`--${name} takes no value`);
}
