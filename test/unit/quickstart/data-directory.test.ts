import { expect } from 'chai';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openDataDirectory } from '../../../bin/quickstart/data-directory.ts';
import { findFreePort } from '../../../bin/quickstart/free-port.ts';
import { openSecrets, saveSecrets } from '../../../bin/quickstart/secrets.ts';
import { claimDirectory } from '../../../bin/quickstart/single-run.ts';
import { makeTemporaryDirectory } from '../../support/temporary-directory.ts';
import type { TemporaryDirectory } from '../../support/temporary-directory.ts';

async function failure(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing failed',
    (error: unknown) => String(error),
  );
}

describe('quickstart/data-directory', () => {
  let directory: TemporaryDirectory;

  beforeEach(async () => {
    directory = await makeTemporaryDirectory('data');
  });
  afterEach(() => directory.remove());

  it('makes secrets once, for their owner alone, and keeps them', async () => {
    const made = await openSecrets(directory.path);
    await saveSecrets(directory.path, { ...made, demoKey: 'a key' });
    expect(await openSecrets(directory.path)).to.deep.equal({ ...made, demoKey: 'a key' });
    const { mode } = await stat(join(directory.path, 'secrets.json'));
    expect(mode & 0o777).to.equal(0o600);
  });

  it('does not make a new pepper over a file that it cannot read: keys would be lost', async () => {
    await writeFile(join(directory.path, 'secrets.json'), '{"keyPepper":');
    expect(await failure(openSecrets(directory.path))).to.contain('SyntaxError');
  });

  it('empties its own folder on --reset, and no other', async () => {
    await openSecrets(directory.path);
    await mkdir(join(directory.path, 'postgres'));
    await openDataDirectory(directory.path, true);
    expect(await readdir(directory.path)).to.deep.equal([]);

    await writeFile(join(directory.path, 'thesis.txt'), 'years of work');
    expect(await failure(openDataDirectory(directory.path, true))).to.contain('not emptied');
    expect(await readdir(directory.path)).to.deep.equal(['thesis.txt']);
  });

  it('is used by one quickstart at a time; a claim of a process that is gone is void', async () => {
    const release = await claimDirectory(directory.path);
    expect(await failure(claimDirectory(directory.path))).to.contain('already running');
    await release();
    await writeFile(join(directory.path, 'quickstart.pid'), `${process.pid} 1`);
    await (
      await claimDirectory(directory.path)
    )();
    expect(await readdir(directory.path)).to.deep.equal([]);
  });

  it('finds the next port when the wanted one is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const found = await findFreePort(port);
    server.close();
    expect(found).to.be.above(port);
  });
});
