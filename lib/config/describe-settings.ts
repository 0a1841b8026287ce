import type { Definition } from './definition.ts';
import { GROUPS } from './settings.ts';

const PAGE_HEAD = `# Settings

Generated from the table in \`lib/config\`; \`node bin/write-settings-docs.ts\` writes it anew.

Every setting is a variable of the environment. For a setting \`X\` these places are looked at, and the
first that has it counts:

1. the environment: \`X\`, or \`X_FILE\` with the path of a file that holds the value (both at once is a
   fault);
2. a systemd credential called \`X\` or \`x\` (\`LoadCredential=\`);
3. the file of settings that \`NZGW_ENV_FILE\` names, one \`NAME=value\` a line.

After SIGHUP the files are read again; the environment stays as it was at the start. Settings that are
marked "needs a restart" keep their value, the others are in force for every worker that is started from
then on; if any of them cannot be used, all stay as they were.

An empty value counts as absent. All faults are told at once (exit code 2); \`nzgw config\` shows what is
in force and where it came from. The value of a secret is never shown.
`;

const EXAMPLE_HEAD = `# Settings of neuronetz-gateway: what is commented out has the default shown.
# docs/CONFIGURATION.md tells the same at more length. Generated: node bin/write-settings-docs.ts
`;

/** The text of docs/CONFIGURATION.md, formatted as Prettier has it. */
export function toConfigurationPage(): string {
  const sections = Object.entries(GROUPS).map(([title, group]) => {
    const rows = Object.values<Definition<unknown>>(group).map((definition) => [
      `\`${definition.name}\``,
      toDefault(definition),
      definition.kind.wanted,
      toMeaning(definition),
    ]);
    return `\n## ${title}\n\n${toTable([['Name', 'Default', 'Value', 'Meaning'], ...rows])}`;
  });
  return PAGE_HEAD + sections.join('');
}

/** The text of .env.example. */
export function toEnvExample(): string {
  const sections = Object.entries(GROUPS).map(([title, group]) => {
    const lines = Object.values<Definition<unknown>>(group).map(toExample);
    return `\n# --- ${title} ---\n${lines.join('')}`;
  });
  return EXAMPLE_HEAD + sections.join('');
}

function toExample(definition: Definition<unknown>): string {
  const { name, kind, fallback, shownFallback } = definition;
  const computed = shownFallback === undefined ? '' : ` (default: ${shownFallback})`;
  const value = shownFallback === undefined ? (fallback ?? '') : '';
  return [
    `\n# ${toMeaning(definition)}`,
    `# Wanted: ${kind.wanted}${computed}`,
    `${fallback === undefined ? '' : '# '}${name}=${value}\n`,
  ].join('\n');
}

function toMeaning({ meaning, secret, needsRestart }: Definition<unknown>): string {
  return [
    meaning,
    ...(secret ? ['Secret.'] : []),
    ...(needsRestart ? ['Needs a restart.'] : []),
  ].join(' ');
}

function toDefault({ fallback, shownFallback }: Definition<unknown>): string {
  if (fallback === undefined) return '**required**';
  if (fallback === null) return 'none';
  return shownFallback ?? `\`${fallback}\``;
}

function toTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const toLine = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |\n`;
  return [toLine(head), rule, ...body.map(toLine)].join('');
}
