import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openPrivateCache } from '../bin/quickstart/private-cache.ts';

const run = promisify(execFile);

/**
 * A program of a Debian package: that of the machine, else the package is fetched and unpacked into a
 * folder of our own. It is not installed: that would start a service on port 80.
 * @throws Error if there is none to be had.
 */
export async function findDebianProgram(name: string): Promise<string> {
  const search = `PATH=$PATH:/usr/sbin command -v ${name}`;
  const found = await run('/bin/sh', ['-c', search]).catch(() => undefined);
  if (found !== undefined) return found.stdout.trim();
  const directory = await openPrivateCache(name, async (draft) => {
    await download(name, draft);
    for (const file of await readdir(draft)) {
      await run('dpkg-deb', ['-x', file, '.'], { cwd: draft });
      await rm(join(draft, file));
    }
  });
  for (const folder of ['usr/sbin', 'usr/bin']) {
    const names = await readdir(join(directory, folder)).catch((): string[] => []);
    if (names.includes(name)) return join(directory, folder, name);
  }
  throw new Error(`Debian's package ${name} holds no ${name}`);
}

async function download(name: string, folder: string): Promise<void> {
  const fetch = (): Promise<unknown> => run('apt-get', ['-qq', 'download', name], { cwd: folder });
  await fetch().catch(async () => {
    // The lists may be missing or old; only root may renew them.
    await run('apt-get', ['-qq', 'update']);
    await fetch();
  });
}
