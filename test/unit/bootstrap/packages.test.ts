import { expect } from 'chai';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../../lib/root.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';

interface Entry {
  readonly version: string;
  readonly integrity: string;
  readonly optional?: boolean;
}
type Packages = Readonly<Record<string, Entry>>;

const { packagesMatchLock } = (await import(new URL('bin/bootstrap/packages.mjs', ROOT).href)) as {
  packagesMatchLock: (root: string) => boolean;
};

const one: Entry = { version: '1.0.0', integrity: 'sha512-one' };
const two: Entry = { version: '2.0.0', integrity: 'sha512-two', optional: true };
const lock = {
  '': { version: '0.1.0', integrity: '' },
  'node_modules/a': one,
  'node_modules/b': two,
};

describe('bootstrap/packages', () => {
  let directory: TemporaryDirectory;

  before(async () => {
    directory = await makeTemporaryDirectory('packages');
    await mkdir(join(directory.path, 'node_modules'));
  });
  after(() => directory.remove());

  async function compare(wanted: Packages, present: Packages | string): Promise<boolean> {
    const hidden = typeof present === 'string' ? present : JSON.stringify({ packages: present });
    await writeFile(
      join(directory.path, 'package-lock.json'),
      JSON.stringify({ packages: wanted }),
    );
    await writeFile(join(directory.path, 'node_modules', '.package-lock.json'), hidden);
    return packagesMatchLock(directory.path);
  }

  it('installs again only when what is there differs from the lock', async () => {
    expect(await compare(lock, { 'node_modules/a': one, 'node_modules/b': two })).to.equal(true);
    const other = { ...one, integrity: 'sha512-other' };
    expect(await compare(lock, { 'node_modules/a': other, 'node_modules/b': two })).to.equal(false);
    const older = { ...one, version: '0.9.0' };
    expect(await compare(lock, { 'node_modules/a': older, 'node_modules/b': two })).to.equal(false);
  });

  it("lets another platform's binaries be absent, and nothing else", async () => {
    expect(await compare(lock, { 'node_modules/a': one })).to.equal(true);
    expect(await compare(lock, { 'node_modules/b': two })).to.equal(false);
  });

  it('installs again when something is there that the lock no longer names', async () => {
    expect(await compare(lock, { 'node_modules/a': one, 'node_modules/c': one })).to.equal(false);
  });

  it('installs again after an install that was cut off', async () => {
    expect(await compare(lock, '{"packages":')).to.equal(false);
    expect(packagesMatchLock(join(directory.path, 'nowhere'))).to.equal(false);
  });
});
