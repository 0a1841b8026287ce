import { chmod, lstat, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder under the system's temporary one that is filled once and then kept: `fill` gets an empty
 * folder, which appears under its name only when complete. Programs are run from it, so one that
 * another user could have made or can write to is refused.
 * @throws Error if the name is taken by somebody else.
 */
export async function openPrivateCache(
  name: string,
  fill: (directory: string) => Promise<void>,
): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const directory = join(tmpdir(), `nzgw-${name}-${uid}`);
  if (await isOurs(directory, uid)) return directory;

  const draft = await mkdtemp(`${directory}-`);
  try {
    await chmod(draft, 0o755);
    await fill(draft);
    await rename(draft, directory).catch(async (error: unknown) => {
      if (!(await isOurs(directory, uid))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return directory;
}

async function isOurs(directory: string, uid: number): Promise<boolean> {
  const stats = await lstat(directory).catch(() => undefined);
  if (stats === undefined) return false;
  if (stats.isDirectory() && stats.uid === uid && (stats.mode & 0o022) === 0) return true;
  throw new Error(`${directory} belongs to somebody else: remove it`);
}
