import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { toConfigurationPage, toEnvExample } from '../../lib/config/describe-settings.ts';
import { loadSettings } from '../../lib/config/load-settings.ts';
import { GROUPS, SETTINGS } from '../../lib/config/settings.ts';
import { ROOT } from '../../lib/root.ts';

const RENEW = 'run: node bin/write-settings-docs.ts';

describe('architecture/settings-docs', () => {
  it('finds .env.example as the table of settings has it', async () => {
    const text = await readFile(new URL('.env.example', ROOT), 'utf8');
    expect(text).to.equal(toEnvExample(), RENEW);
  });

  it('finds docs/CONFIGURATION.md as the table of settings has it', async () => {
    const text = await readFile(new URL('docs/CONFIGURATION.md', ROOT), 'utf8');
    expect(text).to.equal(toConfigurationPage(), RENEW);
  });

  it('names every setting in both', () => {
    for (const { name } of Object.values(SETTINGS)) {
      expect(toEnvExample()).to.include(`${name}=`);
      expect(toConfigurationPage()).to.include(`\`${name}\``);
    }
  });

  it('defines every setting once, by its name and by its key', () => {
    const tables: readonly Readonly<Record<string, { readonly name: string }>>[] =
      Object.values(GROUPS);
    const keys = tables.flatMap((table) => Object.keys(table));
    const names = tables.flatMap((table) => Object.values(table).map(({ name }) => name));
    expect(findTwice(keys)).to.deep.equal([]);
    expect(findTwice(names)).to.deep.equal([]);
  });

  it('has a default in the table that its own kind accepts', () => {
    const optional = Object.entries(SETTINGS).filter(([, { fallback }]) => fallback !== undefined);
    for (const [key] of optional) loadSettings({}, [key as keyof typeof SETTINGS]);
  });
});

function findTwice(texts: readonly string[]): readonly string[] {
  return texts.filter((text, index) => texts.indexOf(text) !== index);
}
