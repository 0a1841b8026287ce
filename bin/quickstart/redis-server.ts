import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openPrivateCache } from './private-cache.ts';

const run = promisify(execFile);

/** A program that is a Redis server if it is started under that name. */
export interface RedisServer {
  readonly command: string;
  /** Libraries that are not where the system looks for them. */
  readonly libraries?: string;
}

/**
 * Finds a Redis server: on the PATH, else in Debian's redis-tools, which holds the same program
 * (as redis-check-rdb) but no service that would take port 6379; installed for root, else unpacked
 * into a folder of our own.
 * @throws Error that says what to install.
 */
export async function findRedisServer(say: (line: string) => void): Promise<RedisServer> {
  const found = await searchPath();
  if (found) return { command: found };
  try {
    if (process.getuid?.() === 0) return await install(say);
    return await unpack(say);
  } catch {
    throw new Error(
      'no redis-server found, and none could be fetched: install Redis 7 or newer ' +
        '(Debian: apt-get install redis-server), or set REDIS_URL to one',
    );
  }
}

async function searchPath(): Promise<string | undefined> {
  const names = ['redis-server', 'redis-check-rdb', '/usr/bin/redis-check-rdb'];
  const search = names.map((name) => `command -v ${name}`).join(' || ');
  return run('/bin/sh', ['-c', search]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

async function install(say: (line: string) => void): Promise<RedisServer> {
  say("installing Redis (Debian's redis-tools)");
  const quietly = ['DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  const install = [...quietly, 'install', '-y', '--no-install-recommends', 'redis-tools'];
  await run('env', install).catch(async () => {
    await run('env', [...quietly, 'update']);
    await run('env', install);
  });
  const found = await searchPath();
  if (!found) throw new Error('redis-tools holds no redis-check-rdb');
  return { command: found };
}

async function unpack(say: (line: string) => void): Promise<RedisServer> {
  const directory = await openPrivateCache('redis', async (draft) => {
    say("fetching Redis (Debian's redis-tools) into a folder of its own");
    const { stdout } = await run('apt-cache', ['depends', 'redis-tools']);
    const libraries = [...stdout.matchAll(/^ +Depends: (lib[\w.+-]+)$/gm)].map(([, name]) => name);
    const wanted = libraries.filter((name) => name !== undefined && !/^lib(c6|gcc)/.test(name));
    await run('apt-get', ['download', 'redis-tools', ...wanted.map(String)], { cwd: draft });
    for (const file of await readdir(draft)) {
      await run('dpkg-deb', ['-x', file, '.'], { cwd: draft });
      await rm(join(draft, file));
    }
    await access(join(draft, 'usr/bin/redis-check-rdb'), constants.X_OK);
  });
  const folders = await readdir(join(directory, 'usr/lib'), { withFileTypes: true });
  return {
    command: join(directory, 'usr/bin/redis-check-rdb'),
    libraries: folders
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .join(':'),
  };
}
