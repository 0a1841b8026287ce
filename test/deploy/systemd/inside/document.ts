import { readFileSync } from 'node:fs';
import { readConsoleCommands } from '../../../support/documents.ts';
import { ensure } from './record.ts';
import type { Shell } from './shell.ts';

/**
 * Runs what a section of a document says, as root and in order. Resolves to all that was said.
 * @throws Error at the first command that does not end with 0.
 */
export async function follow(
  shell: Shell,
  heading: string,
  path = 'docs/DEPLOYMENT.md',
): Promise<string> {
  const page = readFileSync(`/mnt/repo/${path}`, 'utf8');
  const said: string[] = [];
  for (const { prompt, text, notRun } of readConsoleCommands(page, heading)) {
    if (notRun !== undefined) continue;
    ensure(prompt === '#', `only root's commands are run here: ${text}`);
    const outcome = await shell.run(text);
    said.push(`# ${text}\n${outcome.text}`);
    ensure(outcome.code === 0, `${said.join('\n')}\nended with ${outcome.code}`);
  }
  ensure(said.length > 0, `${heading} has no command`);
  return said.join('\n');
}
