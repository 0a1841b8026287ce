import { expect } from 'chai';
import { status } from '../../../../bin/commands/status.ts';
import { COMMANDS } from '../../../../bin/program/commands.ts';
import { GLOBAL_OPTIONS, INFO_OPTIONS } from '../../../../bin/program/global-options.ts';
import { renderCommandHelp, renderOverview } from '../../../../bin/program/help.ts';
import { loadCommands } from '../../../../bin/program/load-commands.ts';
import { parseArguments } from '../../../../bin/program/parse-arguments.ts';

describe('bin/program/commands', () => {
  it('every command is a verb and a noun or a verb alone, once each', () => {
    const names = COMMANDS.map(({ name }) => name);
    const words = names.map((name) => name.split('-'));
    expect(words.filter((word) => word.length > 2)).to.deep.equal([]);
    expect(words.flat().filter((word) => !/^[a-z]+$/.test(word))).to.deep.equal([]);
    expect(new Set(names).size).to.equal(names.length);
  });

  it('every command has an example that parses as that command', () => {
    for (const { name, examples } of COMMANDS) {
      expect(examples, name).not.to.deep.equal([]);
      for (const example of examples) {
        const invocation = parseArguments(toWords(example), COMMANDS);
        expect(invocation.kind === 'run' && invocation.command.name, example).to.equal(name);
      }
    }
  });

  it('a name of an option takes a value everywhere or nowhere: lines are sorted by that', () => {
    const known = [...GLOBAL_OPTIONS, ...INFO_OPTIONS, ...COMMANDS.flatMap((c) => c.options)];
    const kinds = new Map<string, boolean>();
    for (const { name, placeholder } of known) {
      const takesValue = placeholder !== undefined;
      expect(kinds.get(name) ?? takesValue, name).to.equal(takesValue);
      kinds.set(name, takesValue);
    }
  });

  it('no option hides a global one or begins with no-', () => {
    const globals = [...GLOBAL_OPTIONS, ...INFO_OPTIONS].map(({ name }) => name);
    const names = COMMANDS.flatMap(({ options }) => options.map(({ name }) => name));
    expect(names.filter((name) => globals.includes(name) || name.startsWith('no-'))).to.deep.equal(
      [],
    );
  });

  it('a command that is loaded alone is the same as among all others', async () => {
    for (const name of ['status', '--json', 'frob', 'constructor']) {
      const loaded = await loadCommands([name]);
      const known = COMMANDS.find((command) => command.name === name);
      expect(loaded.includes(known ?? status), name).to.equal(true);
      expect(loaded.length, name).to.equal(known ? 1 : COMMANDS.length);
    }
  });

  it('required arguments stand before optional ones', () => {
    for (const { name, positionals } of COMMANDS) {
      const flags = positionals.map(({ required }) => required);
      expect(flags, name).to.deep.equal([...flags].sort((a, b) => Number(b) - Number(a)));
    }
  });

  it('the bootstrap asks for Postgres and the pepper, and for nothing that has no default', () => {
    const needs = (name: string): unknown => COMMANDS.find((c) => c.name === name)?.needs;
    expect(needs('create-tenant')).to.deep.equal(['databaseUrl']);
    expect(needs('list-keys')).to.deep.equal(['databaseUrl']);
    expect(needs('revoke-key')).to.deep.equal(['databaseUrl', 'trustLeaseMs']);
    expect(needs('create-key')).to.include.members(['databaseUrl', 'keyPepper']);
    expect(needs('create-key')).not.to.include.members(['redisUrl', 'ollamaUrls']);
  });

  it('the help names every command, option and example', () => {
    const overview = renderOverview(COMMANDS).join('\n');
    for (const command of COMMANDS) {
      const page = renderCommandHelp(command).join('\n');
      expect(overview).to.include(command.name);
      for (const { name } of command.options) expect(page).to.include(`--${name}`);
      for (const example of command.examples) expect(page).to.include(example);
    }
  });
});

/** The words after `nzgw`, as a shell without variables would split them. */
function toWords(example: string): readonly string[] {
  const [, line = ''] = /nzgw ([^<)]*)/.exec(example) ?? [];
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}
