import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = /^nzgw-(\d{1,10})-[0-9a-f]{32}\.lmdb(-lock)?$/;

/**
 * lmdb's table of readers, 64 bytes each, so room for a thousand processes. It is mapped for writing:
 * in a full tmpfs a page of it that was never written would be a SIGBUS to whoever opens it. So it is
 * written whole, here, where a full tmpfs is an error.
 */
const LOCK_BYTES = 64 * 1024;

/**
 * A new empty file of this process, readable by its user alone, and its lock file. The exclusive
 * creation under a random name leaves nothing to plant a link on. Throws if the directory is not
 * writable or full; nothing is left then.
 */
export function makeSharedFile(directory: string): string {
  const path = join(directory, `nzgw-${process.pid}-${randomBytes(16).toString('hex')}.lmdb`);
  const [data, lock] = filesOf(path);
  const options = { mode: 0o600, flag: 'wx' } as const;
  try {
    writeFileSync(data, '', options);
    writeFileSync(lock, Buffer.alloc(LOCK_BYTES), options);
  } catch (error) {
    removeSharedFile(path);
    throw error;
  }
  return path;
}

export function removeSharedFile(path: string): void {
  for (const file of filesOf(path)) rmSync(file, { force: true });
}

/** Removes what primaries left behind that were killed; memory would be held by it for ever. */
export function removeStaleFiles(directory: string): void {
  for (const name of readdirSync(directory)) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid)))
      rmSync(join(directory, name), { force: true });
  }
}

function filesOf(path: string): readonly [string, string] {
  return [path, `${path}-lock`];
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Anything else than "no such process" means that there is one, of another user perhaps.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
