import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EXIT } from '../program/exit-code.ts';
import { CommandError } from '../program/command-error.ts';

/** A file that only this quickstart makes: a folder without it is not ours to empty. */
export const SECRETS_FILE = 'secrets.json';

/**
 * Opens the folder that holds everything a quickstart makes. Others may pass through it (Postgres
 * runs as another user where we are root), not look into it; each thing in it is closed by itself.
 * @throws CommandError where `reset` would remove what was not made here.
 */
export async function openDataDirectory(directory: string, reset: boolean): Promise<void> {
  if (reset) await emptyDirectory(directory);
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o711);
}

async function emptyDirectory(directory: string): Promise<void> {
  const names = await readdir(directory).catch((): string[] => []);
  if (names.length > 0 && !names.includes(SECRETS_FILE)) {
    throw new CommandError(`${directory} holds other things: it is not emptied`, {
      exitCode: EXIT.conflict,
      code: 'not_a_quickstart',
      hint: 'Name another folder with --data-dir.',
    });
  }
  await rm(directory, { recursive: true, force: true });
  const elsewhere = placeElsewhere(directory);
  if (await isOurs(elsewhere)) await rm(elsewhere, { recursive: true, force: true });
}

/**
 * Where Postgres keeps its data: below the data folder, unless we are root and another user could
 * not come there (a clone in /root). Then in a folder of ours under /var/tmp.
 * @throws CommandError if that name is taken by somebody else.
 */
export async function choosePostgresDirectory(directory: string): Promise<string> {
  if (process.getuid?.() !== 0 || (await canOthersReach(directory))) {
    return join(directory, 'postgres');
  }
  const elsewhere = placeElsewhere(directory);
  await mkdir(elsewhere, { mode: 0o711 }).catch(() => undefined);
  if (await isOurs(elsewhere)) return join(elsewhere, 'postgres');
  throw new CommandError(`${elsewhere} belongs to somebody else`, {
    exitCode: EXIT.notPermitted,
    code: 'not_ours',
    hint: 'Name a folder that every user can pass with --data-dir.',
  });
}

function placeElsewhere(directory: string): string {
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 12);
  return `/var/tmp/nzgw-${name}`;
}

async function canOthersReach(directory: string): Promise<boolean> {
  for (let folder = directory; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function isOurs(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found !== undefined && found.isDirectory() && found.uid === process.getuid?.();
}
