import type { Option } from './command.ts';
import { usageError } from './command-error.ts';

/** A key in an argument, whole or nearly: it is in the shell's history and in `ps` already. */
const KEY_IN_ARGUMENT = /nz_[0-9A-Za-z]{12}_[0-9A-Za-z]{8,}/;

export interface Arranged {
  readonly help: boolean;
  readonly version: boolean;
  /** Command first, then positionals; option values are not among them. */
  readonly words: readonly string[];
  /** Options with their values, in a form that sade cannot misread. */
  readonly options: readonly string[];
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
  const switches = new Set(known.filter((o) => o.placeholder === undefined).map((o) => o.name));
  const words: string[] = [];
  const options: string[] = [];
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const { name, value } = splitOption(word);
    if (word === '--') words.push(...rest.splice(0));
    else if (takesValue.has(name)) options.push(...toPair(name, value ?? takeValue(name, rest)));
    else if (switches.has(name) && value !== undefined) throw noValueWanted(name);
    else (isOption(word) ? options : words).push(word);
  }
  return {
    help: options.some((word) => word === '--help' || word === '-h'),
    version: options.some((word) => word === '--version' || word === '-v'),
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

/** sade takes an empty value only as a word of its own, one with a dash only behind "=". */
function toPair(name: string, value: string): readonly string[] {
  return value.startsWith('-') ? [`--${name}=${value}`] : [`--${name}`, value];
}

function noValueWanted(name: string): Error {
  return usageError(`--${name} takes no value`);
}
