import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openPrivateCache } from '../../bin/quickstart/private-cache.ts';

const run = promisify(execFile);

export interface PackageOptions {
  /** Where it is not called as the program is. */
  readonly packageName?: string;
  /** For each step of fetching it. */
  readonly withinMs?: number;
}

/**
 * A program of a Debian package: that of the machine, else the package is fetched and unpacked into a
 * folder of our own. It is not installed: that would start a service on port 80.
 * @throws Error if there is none to be had.
 */
export async function findDebianProgram(
  name: string,
  { packageName = name, withinMs = 0 }: PackageOptions = {},
): Promise<string> {
  const search = `PATH=$PATH:/usr/sbin command -v ${name}`;
  const found = await run('/bin/sh', ['-c', search]).catch(() => undefined);
  if (found !== undefined) return found.stdout.trim();
  const directory = await openPrivateCache(packageName, async (draft) => {
    await download(packageName, draft, withinMs);
    for (const file of await readdir(draft)) {
      await run('dpkg-deb', ['-x', file, '.'], { cwd: draft });
      await rm(join(draft, file));
    }
  });
  for (const folder of ['usr/sbin', 'usr/bin']) {
    const names = await readdir(join(directory, folder)).catch((): string[] => []);
    if (names.includes(name)) return join(directory, folder, name);
  }
  throw new Error(`Debian's package ${packageName} holds no ${name}`);
}

/** `withinMs`: 0 for as long as it takes. */
async function download(name: string, folder: string, withinMs: number): Promise<void> {
  const limit = { timeout: withinMs };
  const fetch = (): Promise<unknown> =>
    run('apt-get', ['-qq', 'download', name], { cwd: folder, ...limit });
  await fetch().catch(async () => {
    // The lists may be missing or old; only root may renew them.
    await run('apt-get', ['-qq', 'update'], limit);
    await fetch();
  });
}
