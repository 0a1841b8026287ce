import type { Command, Option } from './command.ts';
import { GLOBAL_OPTIONS, INFO_OPTIONS } from './global-options.ts';
import { EXIT_CODES, toFlag, toUsage } from './help.ts';

const HEAD = `# The commands of \`nzgw\`

Generated from the commands' own definitions; \`node bin/write-cli-docs.ts\` writes it anew. \`nzgw help COMMAND\`
tells the same.

stdout holds the answer and nothing else; notes, warnings and errors are on stderr. With \`--json\` the answer
is one document: a list is \`{"data":[…],"next_cursor":null}\`, what is missing is \`null\`, and no key ever vanishes. An
error leaves stdout empty and puts \`{"error":{"code","message","hint","exit_code"}}\` on stderr.
`;

/** The text of docs/CLI.md, formatted as Prettier has it. */
export function toCliPage(commands: readonly Command[]): string {
  const everywhere = toTable(['Option', 'Meaning'], toRows([...GLOBAL_OPTIONS, ...INFO_OPTIONS]));
  const codes = Object.entries(EXIT_CODES);
  return [
    HEAD,
    `## Options of every command\n\n${everywhere}`,
    `## Exit codes\n\n${toTable(['Code', 'Means'], codes)}`,
    ...commands.map(toSection),
  ].join('\n');
}

function toSection(command: Command): string {
  const places = command.positionals.map(({ name, meaning }) => [`\`${name}\``, meaning]);
  return [
    `## ${command.name}\n\n${command.summary}\n`,
    `\`\`\`sh\nnzgw ${toUsage(command)}\n\`\`\`\n`,
    ...(places.length === 0 ? [] : [toTable(['Argument', 'Meaning'], places)]),
    ...(command.options.length === 0
      ? []
      : [toTable(['Option', 'Meaning'], toRows(command.options))]),
    `\`\`\`sh\n${command.examples.join('\n')}\n\`\`\`\n`,
  ].join('\n');
}

function toRows(options: readonly Option[]): readonly (readonly string[])[] {
  return options.map((option) => [`\`${toFlag(option)}\``, option.meaning]);
}

function toTable(head: readonly string[], body: readonly (readonly string[])[]): string {
  const rows = [head, ...body.map((cells) => cells.map((cell) => cell.replaceAll('|', '\\|')))];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const toLine = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |\n`;
  const [first = [], ...others] = rows;
  return [toLine(first), rule, ...others.map(toLine)].join('');
}
