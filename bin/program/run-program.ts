import type { Readable, Writable } from 'node:stream';
import { loadSettings } from '../../lib/config/load-settings.ts';
import { readVersion } from '../../lib/config/read-version.ts';
import { systemClock } from '../../lib/time/clock.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { renderCommandHelp, renderExitCodes, renderOverview } from './help.ts';
import { loadCommands } from './load-commands.ts';
import { Output } from './output.ts';
import { findCommand, parseArguments } from './parse-arguments.ts';
import type { Invocation } from './parse-arguments.ts';
import { reportError } from './report-error.ts';
import { toCommandError, toTrace } from './to-command-error.ts';

/** What a process is given; taken as an argument so that nothing here reaches for it. */
export interface Surroundings {
  /** What follows the program's name. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
}

/** The whole of `nzgw`: parse, run, report. Never throws; gives the exit code. */
export async function runProgram(surroundings: Surroundings): Promise<ExitCode> {
  const { argv, stdout, stderr } = surroundings;
  const output = new Output({
    stdout,
    stderr,
    json: isGiven(argv, '--json'),
    quiet: isGiven(argv, '--quiet', '-q'),
  });
  try {
    const commands = await loadCommands(argv);
    return await follow(parseArguments(argv, commands), commands, surroundings, output);
  } catch (error) {
    const failure = toCommandError(error);
    reportError(output, failure, isGiven(argv, '--debug') ? toTrace(error) : []);
    return failure.exitCode;
  }
}

async function follow(
  invocation: Invocation,
  commands: readonly Command[],
  surroundings: Surroundings,
  output: Output,
): Promise<ExitCode> {
  if (invocation.kind === 'version') {
    output.lines([`nzgw ${await readVersion()} (node ${process.version})`]);
    return EXIT.done;
  }
  if (invocation.kind === 'help') {
    output.lines(renderHelp(invocation.topic, commands));
    return EXIT.done;
  }
  const { command, positionals, options } = invocation;
  const environment = withEnvFile(surroundings.environment, options['env-file']);
  const { settings, warnings } = loadSettings(environment, command.needs);
  for (const warning of warnings) output.note(`warning: ${warning}`);
  const { stdin } = surroundings;
  const clock = systemClock;
  return command.run({ positionals, options, settings, environment, output, stdin, clock });
}

function renderHelp(topic: string | undefined, commands: readonly Command[]): readonly string[] {
  if (topic === undefined) return renderOverview(commands);
  if (topic === 'exit-codes') return renderExitCodes();
  return renderCommandHelp(findCommand(topic, commands));
}

function withEnvFile(
  environment: Surroundings['environment'],
  path: unknown,
): Surroundings['environment'] {
  return typeof path === 'string' ? { ...environment, NZGW_ENV_FILE: path } : environment;
}

/** How to speak must be known before the line is understood, for what is wrong with the line. */
function isGiven(argv: readonly string[], ...flags: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? argv.length : end).some((word) => flags.includes(word));
}
