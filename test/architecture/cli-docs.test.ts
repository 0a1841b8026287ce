import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { COMMANDS } from '../../bin/program/commands.ts';
import { toCliPage } from '../../bin/program/describe-commands.ts';
import { ROOT } from '../../lib/root.ts';

describe('architecture/cli-docs', () => {
  it('finds docs/CLI.md as the commands define themselves', async () => {
    const text = await readFile(new URL('docs/CLI.md', ROOT), 'utf8');
    expect(text).to.equal(toCliPage(COMMANDS), 'run: node bin/write-cli-docs.ts');
  });

  it('shows an example of every command, and each of its options', () => {
    const sections = toCliPage(COMMANDS).split('\n## ');
    for (const { name, options, examples } of COMMANDS) {
      const section = sections.find((text) => text.startsWith(`${name}\n`)) ?? '';
      expect(examples, name).not.to.deep.equal([]);
      for (const example of examples) expect(section).to.include(example);
      for (const option of options) expect(section).to.include(`--${option.name}`);
    }
  });

  it('is linked from the README', async () => {
    const readme = await readFile(new URL('README.md', ROOT), 'utf8');
    expect(readme).to.include('(docs/CLI.md)');
  });
});
