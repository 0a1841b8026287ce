import type { Command, Option } from './command.ts';
import { GLOBAL_OPTIONS, INFO_OPTIONS } from './global-options.ts';
import { renderFacts } from './table.ts';

/** What each exit code says; `serve` has one more, see docs/OPERATIONS.md. */
export const EXIT_CODES: Readonly<Record<string, string>> = {
  0: 'done (an empty list, or what was so already, is done)',
  1: 'failed for a reason not below',
  2: 'usage: unknown command or option, a wrong value, a setting that is missing or wrong',
  3: 'not found',
  4: 'not permitted: Postgres refused the user, or a key would be refused',
  5: 'conflict: exists already, is closed, or the schema is not the one this binary needs',
  6: 'a needed service does not answer',
  7: 'not confirmed',
  8: 'checked, and something is wrong or pending',
};

/** `nzgw help`, one line a command. */
export function renderOverview(commands: readonly Command[]): readonly string[] {
  const summaries = commands.map((c) => [toUsage(c), c.summary] as const);
  return [
    'Administers neuronetz-gateway: tenants, keys, limits.',
    '',
    'Usage: nzgw COMMAND [ARGUMENTS] [OPTIONS]',
    '',
    'Commands',
    ...indent(renderFacts(Object.fromEntries(summaries))),
    '',
    'Options of every command',
    ...indent(renderOptions([...GLOBAL_OPTIONS, ...INFO_OPTIONS])),
    '',
    'More: nzgw help COMMAND, nzgw help exit-codes',
  ];
}

/** `nzgw help COMMAND`. */
export function renderCommandHelp(command: Command): readonly string[] {
  const places = command.positionals.map(({ name, meaning }) => [name, meaning] as const);
  return [
    command.summary,
    '',
    `Usage: nzgw ${toUsage(command)} [OPTIONS]`,
    ...section('Arguments', places.length > 0 ? renderFacts(Object.fromEntries(places)) : []),
    ...section('Options', renderOptions(command.options)),
    ...section('Options of every command', renderOptions([...GLOBAL_OPTIONS, ...INFO_OPTIONS])),
    ...section('Examples', command.examples),
  ];
}

/** `nzgw help exit-codes`. */
export function renderExitCodes(): readonly string[] {
  return ['Exit codes', ...indent(renderFacts(EXIT_CODES))];
}

/** The command with its arguments, as usage lines have it. */
export function toUsage(command: Command): string {
  const places = command.positionals.map((p) => (p.required ? p.name : `[${p.name}]`));
  return [command.name, ...places].join(' ');
}

function renderOptions(options: readonly Option[]): readonly string[] {
  if (options.length === 0) return [];
  const facts = options.map((option) => [toFlag(option), option.meaning] as const);
  return renderFacts(Object.fromEntries(facts));
}

/** The option with all its ways to be written. */
export function toFlag({ name, short, placeholder, bareValue, negatable }: Option): string {
  const long = negatable === true ? `--${name}, --no-${name}` : `--${name}`;
  const flag = short === undefined ? long : `-${short}, ${long}`;
  if (bareValue !== undefined) return `${flag}[=${placeholder ?? ''}]`;
  return placeholder === undefined ? flag : `${flag} ${placeholder}`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...indent(lines)];
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}
